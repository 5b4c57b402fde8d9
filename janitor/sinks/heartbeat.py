"""A monitor that raises an alarm when a run fails, or does not come: told of its start and of its end.

    URL/start ──── the run ────> URL, or URL/fail with a sentence

That is the convention of Healthchecks, which others follow. It is spoken with http.client: urllib3, which botocore
brings, writes the path of every request to its debug log, and urllib.request takes proxies from the environment and
follows redirects. Here the path is a secret, and goes nowhere but to the host that was given.
"""

import http.client
import queue
import threading
import time
import uuid
from typing import NamedTuple
from urllib.parse import urlsplit

from janitor.errors import SinkError
from janitor.tokens.shown import without_keys

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


class _Call(NamedTuple):
    method: str
    path: str
    body: bytes | None
    deadline: float


class Heartbeat:
    """Tells a monitor of one run. Nothing here raises, and nothing holds the run up for longer than the budget."""

    def __init__(self, url: str, *, run_id: str, budget_seconds: float = BUDGET_SECONDS) -> None:
        """Prepare; nothing is sent.

        Args:
            url: of the form that `--heartbeat-url` takes. It may hold a token: no message names more than its host.
            run_id: the run's. The monitor pairs start and end by it, and so knows how long the run took.
            budget_seconds: for all calls together.
        """
        self._url = urlsplit(url)
        self._place = f"the heartbeat to {self._url.scheme}://{self._url.netloc}"
        # Healthchecks takes nothing but a UUID.
        self._run = uuid.uuid5(uuid.NAMESPACE_OID, f"janitor run {run_id}")
        self._start_seconds = budget_seconds * _START_SHARE
        self._left = budget_seconds

    def start(self) -> SinkError | None:
        """Say that the run has begun; what went wrong, or None."""
        return self._tell("GET", "/start", None, min(self._start_seconds, self._left))

    def success(self) -> SinkError | None:
        """Say that the run is done; what went wrong, or None."""
        return self._tell("GET", "", None, self._left)

    def failure(self, message: str) -> SinkError | None:
        """Say that the run has failed, and why, in a sentence; what went wrong, or None."""
        body = without_keys(message)[:_LONGEST_MESSAGE].encode(errors="replace")
        return self._tell("POST", "/fail", body, self._left)

    def _tell(self, method: str, suffix: str, body: bytes | None, seconds: float) -> SinkError | None:
        if seconds <= 0:
            return self._failure("was not sent: the monitor has used up its time")
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
        connection = self._connection(call)
        try:
            connection.connect()
            remaining = call.deadline - time.monotonic()
            if remaining <= 0:
                # Nobody waits any more, and the end may have been told: a start behind it would look like a new run.
                return self._failure("brought no answer in time")
            connection.sock.settimeout(min(remaining, _TIMEOUT_SECONDS))
            headers = {"User-Agent": "token-janitor"}
            if call.body is not None:
                headers["Content-Type"] = "text/plain; charset=utf-8"
            connection.request(call.method, call.path, call.body, headers)
            response = connection.getresponse()
            return self._refusal(response.status, response.read(_LONGEST_REPLY).decode(errors="replace"))
        except TimeoutError:
            return self._failure("brought no answer in time")
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Nothing of an error's own text but the system's: http.client's may hold the path.
            said = getattr(error, "strerror", None)
            return self._failure(f"failed: {said if isinstance(said, str) else type(error).__name__}")
        finally:
            connection.close()

    def _connection(self, call: _Call) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        timeout = max(0.001, min(call.deadline - time.monotonic(), _TIMEOUT_SECONDS))
        return kind(self._url.hostname or "", self._url.port, timeout=timeout)

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
