"""The daemon over HTTP: a few pages to read. No request starts or changes anything.

/           the page                            /healthz    200 while jobs are being fired
/api/runs   the same as JSON                    /readyz     200 while there are files, all valid, all tables reachable
/metrics    Prometheus' text format             /runs/JOB/report            the last HTML report
"""

import socket
import threading
from collections.abc import Awaitable, Callable, Collection

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from janitor.serve.api import build_readiness_document, build_runs_document
from janitor.serve.connection import HEAD_SECONDS, Connections
from janitor.serve.metrics import render_metrics
from janitor.serve.page import POLICY, render_page
from janitor.serve.status import PageSource

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_END_SECONDS = 1
_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_Endpoint = Callable[[Request], Response | Awaitable[Response]]


def make_application(source: PageSource, hosts: Collection[str] = ()) -> ASGIApp:
    """Make the ASGI application of the pages.

    A foreign page may have its name resolve to this machine (DNS rebinding) and then read what is served on loopback,
    but it cannot change the host name of its requests.

    Args:
        source: where the pages get their data.
        hosts: of a server on loopback, its names and addresses, which requests may name besides `localhost`, 127.0.0.1
            and ::1; empty to allow any.
    """
    pages = Starlette(routes=[Route(path, endpoint) for path, endpoint in _make_endpoints(source).items()])
    if not hosts:
        return _SecurityHeaders(pages)
    own = [f"[{host}]" if ":" in host else host for host in hosts]
    return _SecurityHeaders(TrustedHostMiddleware(pages, allowed_hosts=[*_LOOPBACK_HOSTS, *own], www_redirect=False))


class PageServer:
    """Serves an application on a socket, in a thread of its own."""

    def __init__(self, app: ASGIApp, listener: socket.socket, head_seconds: float = HEAD_SECONDS) -> None:
        """Prepare; the server is not started yet.

        Args:
            app: what to serve.
            listener: the bound socket.
            head_seconds: how long the head of a request may take.
        """
        self._listener = listener
        connections = Connections(head_seconds)
        config = uvicorn.Config(
            connections.wrap_app(app),
            access_log=False,
            http=connections.make_protocol(),
            lifespan="off",
            log_config=None,
            # Its warnings are about invalid requests, which anybody can send.
            log_level="error",
            loop="asyncio",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_END_SECONDS,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        # A daemon thread: an open connection does not keep the program from ending.
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Start. The socket queues connections since it was bound, so that none is refused meanwhile."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, within a second."""
        self._server.should_exit = True
        self._thread.join(_END_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        # Outside the main thread uvicorn leaves signals alone.
        self._server.run(sockets=[self._listener])


class _SecurityHeaders:
    """Adds the security headers to every response, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _make_endpoints(source: PageSource) -> dict[str, _Endpoint]:
    """Make the function of each path.

    Most are plain functions, which Starlette calls in threads, so that a slow disk delays no other answer. There are
    few of those threads, so `health` is a coroutine.
    """

    def page(_: Request) -> Response:
        return HTMLResponse(render_page(source.status()))

    def runs(_: Request) -> Response:
        return JSONResponse(build_runs_document(source.status()))

    def metrics(_: Request) -> Response:
        return Response(render_metrics(source.status()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: Request) -> Response:
        is_alive = source.is_alive()
        return PlainTextResponse(
            "ok\n"
            if is_alive
            else "no jobs are being fired, the folder is not being read, or a run cannot be stopped\n",
            200 if is_alive else 503,
        )

    def readiness(_: Request) -> Response:
        ready = source.readiness()
        return JSONResponse(build_readiness_document(ready), 200 if ready.is_ready else 503)

    def report(request: Request) -> Response:
        content = _read_report(source, request.path_params)
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


def _read_report(source: PageSource, path_params: dict[str, str]) -> bytes | None:
    # Looked up among the jobs: no part of the URL becomes part of a path.
    job = source.status().jobs.get(path_params["job"])
    if job is None or not job.last_reports:
        return None
    try:
        return job.last_reports[0].page.read_bytes()
    except OSError:
        return None
