"""Services on loopback that `--notify` sends to: a web hook, and a mail server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any


@dataclass
class Hook:
    """A web hook: what was posted to each path, and which paths refuse."""

    port: int
    posted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refusing: set[str] = field(default_factory=set)

    def url(self, path: str) -> str:
        """Its URL for Apprise; the path is a secret."""
        return f"json://user:pass-{path}@localhost:{self.port}/{path}"

    def take(self, path: str) -> list[dict[str, Any]]:
        """What was taken at the path since the last time."""
        return self.posted.pop(path, [])


@contextmanager
def web_hook() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            path = self.path.strip("/")
            content = json.loads(self.rfile.read(int(self.headers["content-length"])))
            is_refused = path in hook.refusing
            if not is_refused:
                hook.posted.setdefault(path, []).append(content)
            self.send_response(503 if is_refused else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(server.server_address[1])
        with _served(server):
            yield hook


@dataclass
class MailServer:
    """A mail server: each mail, with the addresses it was for."""

    port: int
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    def take(self) -> list[tuple[list[str], EmailMessage]]:
        """The mails since the last time."""
        taken, self.mails = self.mails, []
        return taken


@contextmanager
def mail_server() -> Iterator[MailServer]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            recipients: list[str] = []
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"RCPT":
                    recipients.append(line.decode().split("<")[1].split(">")[0])
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mail = message_from_bytes(_read_mail(self.rfile), policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    server_of_mail.mails.append((recipients, mail))
                    recipients = []
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server_of_mail = MailServer(server.server_address[1])
        with _served(server):
            yield server_of_mail


def _read_mail(lines: BufferedIOBase) -> bytes:
    return b"".join(iter(lines.readline, b".\r\n"))


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
