#!/usr/bin/env python3
"""The HEALTHCHECK of the image: exits 0 when the daemon answers on /healthz, else with a line that says why not.

A container that does one run and ends has no daemon to ask, and counts as healthy for as long as it runs.
"""

import http.client
import os
import sys
from pathlib import Path

FIRST_PROCESS = Path("/proc/1/cmdline")  # the container's command, behind an init process too
_ANSWER_SECONDS = 5.0
# Who listens on every address is asked on loopback.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, never bound


def main() -> int:
    """Ask, and return the exit code."""
    if b"serve" not in FIRST_PROCESS.read_bytes().split(b"\0"):
        return 0
    listen = os.environ.get("JANITOR_LISTEN", "127.0.0.1:8080")
    try:
        status = _status(listen)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # http.client's own words may hold a piece of what was answered.
        return _unhealthy(f"{listen} does not answer: {getattr(error, 'strerror', None) or type(error).__name__}")
    return 0 if status == http.HTTPStatus.OK else _unhealthy(f"{listen} answers {status}")


def _status(listen: str) -> int:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    # http.client, because urllib would go through the proxy that the environment may name.
    connection = http.client.HTTPConnection(_LOOPBACK.get(host, host), int(port), timeout=_ANSWER_SECONDS)
    connection.request("GET", "/healthz")
    return connection.getresponse().status


def _unhealthy(why: str) -> int:
    sys.stdout.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
