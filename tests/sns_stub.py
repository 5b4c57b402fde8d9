"""An SNS that answers PublishBatch as a test tells it to: ministack takes every entry, and knows no denial."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from mypy_boto3_sns import SNSClient


@contextmanager
def client_of(url: str, *, attempts: int = 1, timeout: float = 5) -> Iterator[SNSClient]:
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(retries=retries, connect_timeout=timeout, read_timeout=timeout, parameter_validation=False)
    client: SNSClient = boto3.client("sns", endpoint_url=url, config=config)
    try:
        yield client
    finally:
        client.close()


@dataclass
class Stub:
    """An SNS that answers as it is told: `answer` gets the messages of a request, and returns a status and a body."""

    url: str
    answer: Callable[[list[str]], tuple[int, str]]
    requests: list[list[str]] = field(default_factory=list)
    parameters: list[dict[str, list[str]]] = field(default_factory=list)


@contextmanager
def stub(answer: Callable[[list[str]], tuple[int, str]]) -> Iterator[tuple[Stub, SNSClient]]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            names = [f"PublishBatchRequestEntries.member.{number}.Message" for number in range(1, 11)]
            running.parameters.append(asked)
            running.requests.append([asked[name][0] for name in names if name in asked])
            status, body = running.answer(running.requests[-1])
            self.send_response_only(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        running = Stub(f"http://localhost:{server.server_address[1]}", answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            with client_of(running.url) as client:
                yield running, client
        finally:
            server.shutdown()
            thread.join()


def taken_but(failed: dict[str, tuple[str, bool]], sent: list[str]) -> tuple[int, str]:
    """The answer of a batch of which these messages failed with a code, by the sender's fault or not."""
    good = [str(number) for number, body in enumerate(sent) if body not in failed]
    bad = [(str(number), *failed[body]) for number, body in enumerate(sent) if body in failed]
    members = "".join(f"<member><Id>{each}</Id><MessageId>1</MessageId></member>" for each in good)
    faults = "".join(
        f"<member><Id>{each}</Id><Code>{code}</Code><SenderFault>{str(fault).lower()}</SenderFault></member>"
        for each, code, fault in bad
    )
    result = f"<Successful>{members}</Successful><Failed>{faults}</Failed>"
    return 200, f"<PublishBatchResponse><PublishBatchResult>{result}</PublishBatchResult></PublishBatchResponse>"


def refused(status: int, code: str, said: str = "no") -> tuple[int, str]:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>"
    return status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
