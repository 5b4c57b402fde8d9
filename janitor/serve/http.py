"""The daemon over HTTP: a few pages to look at. Nothing that is asked for over HTTP starts or changes anything.

/           the page                            /healthz    200 while jobs are being fired
/api/runs   the same as JSON                    /readyz     200 while every file is right and every table reached
/metrics    Prometheus' text format             /runs/JOB/report[/NUMBER]   the last HTML report
"""

import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from janitor.serve.api import ready_of, runs_of
from janitor.serve.board import Views
from janitor.serve.metrics import metrics_text
from janitor.serve.page import POLICY, page_of

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_MOST_CONNECTIONS = 64
_END_SECONDS = 1

_Endpoint = Callable[[Request], Response]


def application(views: Views) -> ASGIApp:
    """The pages as an ASGI application."""
    return _Guarded(Starlette(routes=[Route(path, endpoint) for path, endpoint in _endpoints(views).items()]))


class Pages:
    """Serves an application on a socket, in a thread of its own."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        """A server that is not started yet.

        Args:
            app: what to serve.
            listener: bound already.
        """
        self._listener = listener
        config = uvicorn.Config(
            app,
            access_log=False,
            http="h11",
            lifespan="off",
            limit_concurrency=_MOST_CONNECTIONS,
            log_config=None,
            log_level="warning",
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


def _endpoints(views: Views) -> dict[str, _Endpoint]:
    """Each is a plain function, which Starlette calls in a thread: a slow disk holds up no other answer."""

    def page(_: Request) -> Response:
        return HTMLResponse(str(page_of(views.board())))

    def runs(_: Request) -> Response:
        return JSONResponse(runs_of(views.board()))

    def metrics(_: Request) -> Response:
        return Response(metrics_text(views.board()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def health(_: Request) -> Response:
        is_alive = views.is_alive()
        return PlainTextResponse("ok\n" if is_alive else "no jobs are being fired\n", 200 if is_alive else 503)

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
        "/runs/{job}/report/{number:int}": report,
    }


def _report(views: Views, wanted: dict[str, Any]) -> bytes | None:
    # Only by the names of jobs that there are: no part of the address becomes a part of a path.
    job = views.board().jobs.get(wanted["job"])
    if job is None:
        return None
    for kept in job.kept:
        if kept.number == wanted.get("number", 1):
            try:
                return kept.page.read_bytes()
            except OSError:
                return None
    return None
