"""The daemon over HTTP: a few pages to look at. Nothing that is asked for over HTTP starts or changes anything.

/           the page                            /healthz    200 while jobs are being fired
/api/runs   the same as JSON                    /readyz     200 while there are files, all right, all tables reached
/metrics    Prometheus' text format             /runs/JOB/report            the last HTML report
"""

import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from janitor.serve.api import ready_of, runs_document
from janitor.serve.board import Views
from janitor.serve.connection import HEAD_SECONDS, Connections
from janitor.serve.metrics import metrics_text
from janitor.serve.page import POLICY, render_page

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_END_SECONDS = 1

_Endpoint = Callable[[Request], Response | Awaitable[Response]]


def application(views: Views, host: str | None = None) -> ASGIApp:
    """The pages as an ASGI application.

    Args:
        views: what to show.
        host: the name that it is asked for by, besides `localhost` and addresses; None to be asked by any.
    """
    pages = Starlette(routes=[Route(path, endpoint) for path, endpoint in _endpoints(views).items()])
    return _Guarded(pages if host is None else _Named(pages, host))


def is_own_host(header: str, host: str) -> bool:
    """Whether a Host header is one that a server on loopback is asked by: an address, `localhost`, or its own name.

    A page of elsewhere may have its name resolved to this machine (DNS rebinding), and then read what is here; it
    cannot change the name that its requests ask for.
    """
    is_bracketed = header.startswith("[")
    name = header[1:].partition("]")[0] if is_bracketed else header.partition(":")[0]
    if name.rstrip(".").lower() in ("localhost", host.lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class PageServer:
    """Serves an application on a socket, in a thread of its own."""

    def __init__(self, app: ASGIApp, listener: socket.socket, head_seconds: float = HEAD_SECONDS) -> None:
        """A server that is not started yet.

        Args:
            app: what to serve.
            listener: bound already.
            head_seconds: how long a request may take to be asked.
        """
        self._listener = listener
        connections = Connections(head_seconds)
        config = uvicorn.Config(
            connections.watched(app),
            access_log=False,
            http=connections.protocol(),
            lifespan="off",
            log_config=None,
            # Its warnings are of requests that are none, which anybody can send.
            log_level="error",
            loop="asyncio",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_END_SECONDS,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        # A daemon thread: a reader who keeps a connection open keeps nobody from ending.
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin. The socket takes connections from when it was bound, so nobody is refused meanwhile."""
        self._thread.start()

    def stop(self) -> None:
        """End, within a second."""
        self._server.should_exit = True
        self._thread.join(_END_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        # In a thread that is not the main one uvicorn leaves signals alone.
        self._server.run(sockets=[self._listener])


class _Guarded:
    """Gives every answer, errors too, the headers that keep it from being more than a page to look at."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)


class _Named:
    """Answers only those who ask for this server by a name of its own."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # HTTP/1.0 asks for none; a browser always does.
        header = Headers(scope=scope).get("host")
        if header is None or is_own_host(header, self._host):
            await self._app(scope, receive, send)
            return
        said = f"ask for this page by its address, by localhost, or by the host of --listen, {self._host}\n"
        await PlainTextResponse(said, 421)(scope, receive, send)


def _endpoints(views: Views) -> dict[str, _Endpoint]:
    """Most are plain functions, which Starlette calls in threads: a slow disk holds up no other answer.

    Those threads are few, so `health` is none of them.
    """

    def page(_: Request) -> Response:
        return HTMLResponse(render_page(views.board()))

    def runs(_: Request) -> Response:
        return JSONResponse(runs_document(views.board()))

    def metrics(_: Request) -> Response:
        return Response(metrics_text(views.board()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: Request) -> Response:
        is_alive = views.is_alive()
        return PlainTextResponse(
            "ok\n" if is_alive else "no jobs are being fired, the folder is not looked at, or a run cannot be ended\n",
            200 if is_alive else 503,
        )

    def readiness(_: Request) -> Response:
        ready = views.readiness()
        return JSONResponse(ready_of(ready), 200 if ready.is_ready else 503)

    def report(request: Request) -> Response:
        content = _report(views, request.path_params)
        if content is None:
            return PlainTextResponse("no such report\n", 404)
        return HTMLResponse(content)

    return {
        "/": page,
        "/api/runs": runs,
        "/metrics": metrics,
        "/healthz": health,
        "/readyz": readiness,
        "/runs/{job}/report": report,
    }


def _report(views: Views, wanted: dict[str, str]) -> bytes | None:
    # Only by the names of jobs that there are: no part of the address becomes a part of a path.
    job = views.board().jobs.get(wanted["job"])
    if job is None:
        return None
    if not job.kept:
        return None
    try:
        return job.kept[0].page.read_bytes()
    except OSError:
        return None
