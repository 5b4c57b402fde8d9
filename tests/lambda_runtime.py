"""A function as Lambda runs it: AWS's runtime client with the handler, asking a Runtime API on loopback for events.

The paths and headers are those of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.command import fake_aws
from tests.forked import KEPT, temporary_folder

HANDLER = "janitor.aws.lambda_handler.handle_event"
ANSWER_SECONDS = 60.0
_NEXT = "/2018-06-01/runtime/invocation/next"


@dataclass(frozen=True)
class Answer:
    """What came of an invocation: the JSON of its answer or of its error."""

    is_error: bool
    body: Any


@dataclass
class Function:
    """A function that waits for events.

    Attributes:
        log: the file that its standard output and error go to.
    """

    log: Path
    events: "queue.Queue[tuple[object, float]]" = field(default_factory=queue.Queue)
    answers: "queue.Queue[Answer]" = field(default_factory=queue.Queue)

    def invoke(self, event: object, *, seconds: float = 300) -> Answer:
        """Invoke it with an event and that many seconds to live, and wait for its answer.

        Raises:
            queue.Empty: there was none.
        """
        self.events.put((event, seconds))
        return self.answers.get(timeout=ANSWER_SECONDS)


@contextmanager
def function(env: Mapping[str, str]) -> Iterator[Function]:
    """Start a function with these variables besides those that Lambda sets; it is killed at the end of the block."""
    with temporary_folder("janitor-lambda-") as home:
        made = Function(Path(home, "log"))
        server = _Server(("127.0.0.1", 0), _make_handler(made))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        environment = {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            **fake_aws(Path(home)),
            # As in the image: nothing in the home can be written, and nothing says that the state directory lasts.
            "XDG_STATE_HOME": "/proc/nowhere",
            "TMPDIR": home,
            "AWS_LAMBDA_FUNCTION_NAME": "nightly",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
            **env,
        }
        with made.log.open("wb") as log:
            command = [sys.executable, "-m", "awslambdaric", HANDLER]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            try:
                yield made
            finally:
                process.kill()
                process.wait()
                server.shutdown()
                server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a function that is killed ends its connection in the middle."""


def _make_handler(function: Function) -> type[BaseHTTPRequestHandler]:
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == _NEXT
            event, seconds = function.events.get()
            deadline = str(int((time.time() + seconds) * 1000))
            self._answer(200, json.dumps(event).encode(), {"Lambda-Runtime-Deadline-Ms": deadline})

        def do_POST(self) -> None:
            is_error = self.path.endswith("/error")
            function.answers.put(Answer(is_error, json.loads(self._read_body())))
            self._answer(202, b"", {})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "an-invocation")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _read_body(self) -> bytes:
            if "Content-Length" in self.headers:
                return self.rfile.read(int(self.headers["Content-Length"]))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, *_: object) -> None:
            pass

    return RuntimeApi
