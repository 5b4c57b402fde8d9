"""Tell a monitor about the start and the end of a run; it raises an alarm when a run fails or does not start.

    URL/start ──── the run ────> URL, or URL/fail with a sentence

This is the convention of Healthchecks, which others follow. The calls use http.client, because urllib3, which botocore
brings, writes the path of every request to its debug log, and urllib.request follows redirects. The path is a secret
here, and goes only to the given host (and without TLS to the proxy on the way).

Proxies and certificate authorities are configured as for AWS calls: HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read as
botocore reads them. The authorities in AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE are trusted in addition to the usual ones,
because a public monitor has a certificate of a usual one.
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

from janitor.aws.certificate_file import CertificateFile
from janitor.aws.errors import origin_of, reason_of
from janitor.errors import SinkError
from janitor.tokens.redact import remove_keys

# The longest that a monitor may delay a run, all calls together.
BUDGET_SECONDS = 10.0
# The part of the budget for the start, so that enough is left for the end.
_START_SHARE = 0.5
_TIMEOUT_SECONDS = 5.0

_MAX_MESSAGE_LENGTH = 2000  # characters; an older Healthchecks keeps 10,000 bytes
_MAX_REPLY_BYTES = 100
# Healthchecks also answers 200 to an unknown UUID and to calls that it ignores; then the reply begins so.
_NOT_RECORDED = ("OK (not found)", "OK (rate limited)")

_WAY_OUT = "check --heartbeat-url, and that the monitor can be reached from here"
_PROXY_WAY_OUT = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_TRUST_WAY_OUT = "if a proxy or the monitor has a private certificate authority, set AWS_CA_BUNDLE to its certificates"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Call(NamedTuple):
    method: str
    path: str
    body: bytes | None
    deadline: float


class _NotSentError(Exception):
    """Nothing can be sent. Arguments: the end of a sentence that may be shown, and the way out."""


class Heartbeat:
    """Tells a monitor about one run. Never raises, and never delays the run for longer than the budget."""

    def __init__(
        self,
        url: str,
        *,
        run_id: str,
        environment: Mapping[str, str] | None = None,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        """Prepare; sends nothing.

        Args:
            url: a URL as `--heartbeat-url` accepts it. It may hold a token, so messages show only its host.
            run_id: the run's id, by which the monitor pairs start and end to measure how long the run took.
            environment: the variables that name proxies and certificate authorities; none when None.
            budget_seconds: the time for all calls together.
        """
        self._environment = environment or {}
        self._url = urlsplit(url)
        self._name = f"the heartbeat to {self._url.scheme}://{self._url.netloc}"
        # Healthchecks accepts only a UUID.
        self._run = uuid.uuid5(uuid.NAMESPACE_OID, f"janitor run {run_id}")
        self._start_seconds = budget_seconds * _START_SHARE
        self._left = budget_seconds

    def start(self, most_seconds: float = math.inf) -> SinkError | None:
        """Report the start of the run, in at most so many seconds; return what went wrong, or None."""
        return self._report("GET", "/start", None, min(self._start_seconds, self._left, most_seconds))

    def success(self) -> SinkError | None:
        """Report the success of the run; return what went wrong, or None."""
        return self._report("GET", "", None, self._left)

    def failure(self, message: str) -> SinkError | None:
        """Report the failure of the run with the reason in a sentence; return what went wrong, or None."""
        body = remove_keys(message)[:_MAX_MESSAGE_LENGTH].encode(errors="replace")
        return self._report("POST", "/fail", body, self._left)

    def _report(self, method: str, suffix: str, body: bytes | None, seconds: float) -> SinkError | None:
        if seconds <= 0:
            return self._error("was not sent: no time was left for it")
        began = time.monotonic()
        call = _Call(method, self._path(suffix), body, began + seconds)
        results: queue.SimpleQueue[SinkError | None] = queue.SimpleQueue()
        # A DNS lookup has no timeout of its own, so a thread does the call. A daemon thread that hangs cannot keep the
        # program from ending.
        thread = threading.Thread(target=lambda: results.put(self._send(call)), daemon=True, name="heartbeat")
        try:
            thread.start()
            return results.get(timeout=seconds)
        except queue.Empty:
            return self._error("got no answer in time")
        except RuntimeError:  # no more threads
            return self._error("could not be sent from here")
        finally:
            self._left -= time.monotonic() - began

    def _send(self, call: _Call) -> SinkError | None:
        proxy = self._find_proxy()
        connection = None
        try:
            connection = self._connect(call, proxy)
            remaining = call.deadline - time.monotonic()
            if remaining <= 0:
                # Nobody waits any more, and the end may have been reported: a late start would look like a new run.
                return self._error("got no answer in time")
            connection.sock.settimeout(min(remaining, _TIMEOUT_SECONDS))
            headers = {"User-Agent": "token-janitor"}
            path = call.path
            if call.body is not None:
                headers["Content-Type"] = "text/plain; charset=utf-8"
            if proxy is not None and self._url.scheme == "http":
                path = f"http://{self._url.netloc}{call.path}"
                headers |= _authorization_header(proxy)
            connection.request(call.method, path, call.body, headers)
            response = connection.getresponse()
            return self._check_answer(response.status, response.read(_MAX_REPLY_BYTES).decode(errors="replace"))
        except TimeoutError:
            return self._error("got no answer in time")
        except _NotSentError as error:
            return self._error(*error.args)
        except Exception as error:  # noqa: BLE001  # a thread that ends with an error would print it, path and all
            return self._explain(error, proxy)
        finally:
            if connection is not None:
                connection.close()

    def _explain(self, error: Exception, proxy: SplitResult | None) -> SinkError:
        """Build the error for a failed call, without the error's own message: that of http.client holds the path."""
        reason = reason_of(error) or type(error).__name__
        if isinstance(error, ssl.SSLError):
            return self._error(f"failed: {reason}", _TRUST_WAY_OUT)
        if proxy is not None:
            return self._error(f"failed at the proxy {origin_of(proxy.geturl())}: {reason}", _PROXY_WAY_OUT)
        return self._error(f"failed: {reason}")

    def _find_proxy(self) -> SplitResult | None:
        """Return the proxy for the monitor's host, None for none; the variables are read as botocore reads them."""
        url = self._variable(f"{self._url.scheme}_proxy")
        if not url:
            return None
        no_proxy = self._variable("no_proxy")
        if no_proxy:
            # Not in the stubs; `proxy_bypass` of this module calls it where a variable names a proxy.
            from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415  # rare

            if proxy_bypass_environment(self._url.netloc, {"no": no_proxy}):
                return None
        return urlsplit(url if "://" in url else f"http://{url.removeprefix('//')}")

    def _variable(self, name: str) -> str:
        return self._environment.get(name) or self._environment.get(name.upper(), "")

    def _connect(self, call: _Call, proxy: SplitResult | None) -> http.client.HTTPConnection:
        """Connect to the monitor, if need be through a proxy; without TLS, to a proxy that forwards the request."""
        timeout = max(0.001, min(call.deadline - time.monotonic(), _TIMEOUT_SECONDS))
        nearest = self._url if proxy is None else proxy
        host, port = _host_and_port(nearest)
        context = self._make_context() if "https" in (nearest.scheme, self._url.scheme) else None
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
            return self._open_tunnel(connection.sock, proxy, context)
        except BaseException:
            connection.close()
            raise

    def _open_tunnel(
        self, to_proxy: socket.socket, proxy: SplitResult, context: ssl.SSLContext
    ) -> http.client.HTTPConnection:
        """Open a connection to the monitor inside the one to the proxy."""
        host, port = _host_and_port(self._url)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        lines += [f"{name}: {value}" for name, value in _authorization_header(proxy).items()]
        to_proxy.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))
        answer = http.client.HTTPResponse(to_proxy, method="CONNECT")
        answer.begin()
        if answer.status != http.HTTPStatus.OK:
            where = f"failed at the proxy {origin_of(proxy.geturl())}"
            raise _NotSentError(f"{where}: the proxy answered {answer.status}", _PROXY_WAY_OUT)
        connection = http.client.HTTPSConnection(host, port, context=context)
        if isinstance(to_proxy, ssl.SSLSocket):
            # Python's own sockets do not support TLS inside TLS.
            from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415  # rare, and imports all of urllib3

            connection.sock = SSLTransport(to_proxy, context, server_hostname=host)
        else:
            connection.sock = context.wrap_socket(to_proxy, server_hostname=host)
        return connection

    def _make_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        certificates = CertificateFile.of(self._environment)
        if certificates is not None:
            flaw = certificates.find_flaw()
            if flaw is not None:
                raise _NotSentError(f"was not sent: {flaw}", "name a file with certificates, or unset it")
            context.load_verify_locations(certificates.path)
        return context

    def _check_answer(self, status: int, reply: str) -> SinkError | None:
        if http.HTTPStatus.MULTIPLE_CHOICES <= status < http.HTTPStatus.BAD_REQUEST:
            return self._error(f"was answered with {status}, a redirect", "give the URL that it leads to")
        if not http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
            return self._error(f"was answered with {status}")
        if reply.startswith(_NOT_RECORDED):
            return self._error(f"was not recorded: {reply.partition(')')[0]})")
        return None

    def _path(self, suffix: str) -> str:
        path = f"{self._url.path.rstrip('/')}{suffix}" if suffix else self._url.path
        query = "&".join(part for part in (self._url.query, f"rid={self._run}") if part)
        return f"{path or '/'}?{query}"

    def _error(self, what: str, way_out: str = _WAY_OUT) -> SinkError:
        return SinkError(f"{self._name} {what}", way_out, "heartbeat")


def _host_and_port(url: SplitResult) -> tuple[str, int]:
    if url.scheme not in _DEFAULT_PORTS:
        raise _NotSentError("was not sent: the URL of a proxy begins with http:// or https://", _PROXY_WAY_OUT)
    try:
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host:
        raise _NotSentError("was not sent: the URL of the proxy has no host, or no valid port", _PROXY_WAY_OUT)
    return host, port or _DEFAULT_PORTS[url.scheme]


def _authorization_header(proxy: SplitResult) -> dict[str, str]:
    """Build the header with the user name and the password in a proxy's URL; none if it has none."""
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
