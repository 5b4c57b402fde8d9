"""A monitor that raises an alarm when a run fails, or does not come: told of its start and of its end.

    URL/start ──── the run ────> URL, or URL/fail with a sentence

That is the convention of Healthchecks, which others follow. It is spoken with http.client: urllib3, which botocore
brings, writes the path of every request to its debug log, and urllib.request follows redirects. Here the path is a
secret, and goes nowhere but to the host that was given, and without TLS through the proxy on the way.

Proxies and authorities are those of the other calls: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as botocore reads them;
AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE, which are trusted besides the usual authorities, not in their place, because a
monitor out in the world has one of those.
"""

import base64
import http.client
import math
import queue
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from janitor.aws.authorities import Authorities
from janitor.aws.errors import origin_of, reason_of
from janitor.errors import SinkError
from janitor.tokens.redact import without_keys

# All that a run may be held up by its monitor.
BUDGET_SECONDS = 10.0
# Of the budget for the start, so that there is enough left for the end.
_START_SHARE = 0.5
_TIMEOUT_SECONDS = 5.0

_LONGEST_MESSAGE = 2000  # characters; an older Healthchecks keeps 10,000 bytes
_LONGEST_REPLY = 100
# A Healthchecks answers 200 to the UUID of no check at all, and to calls that it does not count, and says so there.
_NOT_RECORDED = ("OK (not found)", "OK (rate limited)")

_WAY_OUT = "check --heartbeat-url, and that the monitor can be reached from here"
_PROXY_WAY_OUT = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_TRUST_WAY_OUT = "where a proxy or the monitor has an authority of its own, name its certificates with AWS_CA_BUNDLE"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Call(NamedTuple):
    method: str
    path: str
    body: bytes | None
    deadline: float


class _UnfitError(Exception):
    """Nothing can be sent, by a sentence's end that may be shown; and the way out."""


class Heartbeat:
    """Tells a monitor of one run. Nothing here raises, and nothing holds the run up for longer than the budget."""

    def __init__(
        self,
        url: str,
        *,
        run_id: str,
        environment: Mapping[str, str] | None = None,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            url: of the form that `--heartbeat-url` takes. It may hold a token: no message names more than its host.
            run_id: the run's. The monitor pairs start and end by it, and so knows how long the run took.
            environment: the variables that name proxies and authorities; none when None.
            budget_seconds: for all calls together.
        """
        self._environment = environment or {}
        self._url = urlsplit(url)
        self._place = f"the heartbeat to {self._url.scheme}://{self._url.netloc}"
        # Healthchecks takes nothing but a UUID.
        self._run = uuid.uuid5(uuid.NAMESPACE_OID, f"janitor run {run_id}")
        self._start_seconds = budget_seconds * _START_SHARE
        self._left = budget_seconds

    def start(self, most_seconds: float = math.inf) -> SinkError | None:
        """Say that the run has begun, which may take so long; what went wrong, or None."""
        return self._tell("GET", "/start", None, min(self._start_seconds, self._left, most_seconds))

    def success(self) -> SinkError | None:
        """Say that the run is done; what went wrong, or None."""
        return self._tell("GET", "", None, self._left)

    def failure(self, message: str) -> SinkError | None:
        """Say that the run has failed, and why, in a sentence; what went wrong, or None."""
        body = without_keys(message)[:_LONGEST_MESSAGE].encode(errors="replace")
        return self._tell("POST", "/fail", body, self._left)

    def _tell(self, method: str, suffix: str, body: bytes | None, seconds: float) -> SinkError | None:
        if seconds <= 0:
            return self._failure("was not sent: no time was left for it")
        began = time.monotonic()
        call = _Call(method, self._path(suffix), body, began + seconds)
        outcomes: queue.SimpleQueue[SinkError | None] = queue.SimpleQueue()
        # A look-up of the name has no timeout of its own. A daemon that hangs cannot keep the program from ending.
        thread = threading.Thread(target=lambda: outcomes.put(self._outcome(call)), daemon=True, name="heartbeat")
        try:
            thread.start()
            return outcomes.get(timeout=seconds)
        except queue.Empty:
            return self._failure("brought no answer in time")
        except RuntimeError:  # no more threads
            return self._failure("could not be sent from here")
        finally:
            self._left -= time.monotonic() - began

    def _outcome(self, call: _Call) -> SinkError | None:
        proxy = self._proxy()
        connection = None
        try:
            connection = self._connected(call, proxy)
            remaining = call.deadline - time.monotonic()
            if remaining <= 0:
                # Nobody waits any more, and the end may have been told: a start behind it would look like a new run.
                return self._failure("brought no answer in time")
            connection.sock.settimeout(min(remaining, _TIMEOUT_SECONDS))
            headers = {"User-Agent": "token-janitor"}
            path = call.path
            if call.body is not None:
                headers["Content-Type"] = "text/plain; charset=utf-8"
            if proxy is not None and self._url.scheme == "http":
                path = f"http://{self._url.netloc}{call.path}"
                headers |= _authorization(proxy)
            connection.request(call.method, path, call.body, headers)
            response = connection.getresponse()
            return self._refusal(response.status, response.read(_LONGEST_REPLY).decode(errors="replace"))
        except TimeoutError:
            return self._failure("brought no answer in time")
        except _UnfitError as error:
            return self._failure(*error.args)
        except Exception as error:  # noqa: BLE001  # a thread that ends by an error would print it, and with it the path
            return self._failed(error, proxy)
        finally:
            if connection is not None:
                connection.close()

    def _failed(self, error: Exception, proxy: SplitResult | None) -> SinkError:
        """What went wrong on the way. Nothing of an error's own text but the system's: http.client's holds the path."""
        reason = reason_of(error) or type(error).__name__
        if isinstance(error, ssl.SSLError):
            return self._failure(f"failed: {reason}", _TRUST_WAY_OUT)
        if proxy is not None:
            return self._failure(f"failed at the proxy {origin_of(proxy.geturl())}: {reason}", _PROXY_WAY_OUT)
        return self._failure(f"failed: {reason}")

    def _proxy(self) -> SplitResult | None:
        """The proxy for the monitor's host; None where it is called without one. botocore reads the variables so."""
        url = self._variable(f"{self._url.scheme}_proxy")
        if not url:
            return None
        excepted = self._variable("no_proxy")
        if excepted:
            # Not in the stubs; `proxy_bypass` of this module comes to it where a variable names a proxy.
            from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415  # rare

            if proxy_bypass_environment(self._url.netloc, {"no": excepted}):
                return None
        return urlsplit(url if "://" in url else f"http://{url.removeprefix('//')}")

    def _variable(self, name: str) -> str:
        return self._environment.get(name) or self._environment.get(name.upper(), "")

    def _connected(self, call: _Call, proxy: SplitResult | None) -> http.client.HTTPConnection:
        """A connection on which the monitor, or a proxy that passes on what it is asked, answers."""
        timeout = max(0.001, min(call.deadline - time.monotonic(), _TIMEOUT_SECONDS))
        nearest = self._url if proxy is None else proxy
        host, port = _host_and_port(nearest)
        context = self._context() if "https" in (nearest.scheme, self._url.scheme) else None
        if nearest.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.connect()
        if proxy is None or context is None or self._url.scheme == "http":
            return connection
        try:
            return self._tunnelled(connection.sock, proxy, context)
        except BaseException:
            connection.close()
            raise

    def _tunnelled(
        self, to_proxy: socket.socket, proxy: SplitResult, context: ssl.SSLContext
    ) -> http.client.HTTPConnection:
        """A connection to the monitor, inside of one to the proxy."""
        host, port = _host_and_port(self._url)
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        lines += [f"{name}: {value}" for name, value in _authorization(proxy).items()]
        to_proxy.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))
        answer = http.client.HTTPResponse(to_proxy, method="CONNECT")
        answer.begin()
        if answer.status != http.HTTPStatus.OK:
            where = f"failed at the proxy {origin_of(proxy.geturl())}"
            raise _UnfitError(f"{where}: the proxy answered {answer.status}", _PROXY_WAY_OUT)
        connection = http.client.HTTPSConnection(host, port, context=context)
        if isinstance(to_proxy, ssl.SSLSocket):
            # Python's own sockets do not speak TLS inside of TLS.
            from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415  # rare, and all of urllib3

            connection.sock = SSLTransport(to_proxy, context, server_hostname=host)
        else:
            connection.sock = context.wrap_socket(to_proxy, server_hostname=host)
        return connection

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        authorities = Authorities.of(self._environment)
        if authorities is not None:
            flaw = authorities.flaw()
            if flaw is not None:
                raise _UnfitError(f"was not sent: {flaw}", "name a file with certificates, or unset it")
            context.load_verify_locations(authorities.path)
        return context

    def _refusal(self, status: int, reply: str) -> SinkError | None:
        if http.HTTPStatus.MULTIPLE_CHOICES <= status < http.HTTPStatus.BAD_REQUEST:
            return self._failure(f"was answered with {status}, a redirect", "give the URL that it leads to")
        if not http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
            return self._failure(f"was answered with {status}")
        if reply.startswith(_NOT_RECORDED):
            return self._failure(f"was not recorded: {reply.partition(')')[0]})")
        return None

    def _path(self, suffix: str) -> str:
        path = f"{self._url.path.rstrip('/')}{suffix}" if suffix else self._url.path
        query = "&".join(part for part in (self._url.query, f"rid={self._run}") if part)
        return f"{path or '/'}?{query}"

    def _failure(self, what: str, way_out: str = _WAY_OUT) -> SinkError:
        return SinkError(f"{self._place} {what}", way_out, "heartbeat")


def _host_and_port(url: SplitResult) -> tuple[str, int]:
    if url.scheme not in _DEFAULT_PORTS:
        raise _UnfitError("was not sent: of proxies only http:// and https:// are taken", _PROXY_WAY_OUT)
    try:
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host:
        raise _UnfitError("was not sent: the URL of the proxy has no host, or no right port", _PROXY_WAY_OUT)
    return host, port or _DEFAULT_PORTS[url.scheme]


def _authorization(proxy: SplitResult) -> dict[str, str]:
    """The header that tells a proxy who asks, if its URL says so."""
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
