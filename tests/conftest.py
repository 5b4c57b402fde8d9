"""What holds for every test: no AWS settings, no home folder and no server but those of this machine's loopback."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.command import fake_aws
from tests.dynamodb_local import cache_folder
from tests.examples import register_profiles
from tests.fixtures import (
    client,
    dynamodb_local_url,
    make_table,
    ministack_url,
    new_table,
    server,
    table_number,
    table_server,
    tokens,
)
from tests.models import share_the_models

__all__ = [
    "client",
    "dynamodb_local_url",
    "make_table",
    "ministack_url",
    "new_table",
    "server",
    "table_number",
    "table_server",
    "tokens",
]

# Asked before any test runs, for the answer depends on the home folder that tests do not see.
CACHE = cache_folder()

register_profiles()
share_the_models()


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a test from a real account: fake credentials in a made-up home."""
    home = tmp_path_factory.mktemp("home")
    fakes = {**fake_aws(home), "AWS_DEFAULT_REGION": "us-east-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "JANITOR_", "XDG_")):
                patch.delenv(name)
        for name, value in fakes.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network_but_loopback() -> Iterator[None]:
    """Fail a test that looks up or connects to another host; `except Exception` does not swallow that failure."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _loopback_only(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _known_names_only(socket.getaddrinfo))
        yield


@pytest.fixture(autouse=True)
def _logs_as_they_are_at_first(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test that runs a command in this process decide what the next one sees of the log."""
    configure = structlog.configure
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def dynamodb_local_cache() -> Path:
    """The folder that `make dynamodb-local` fetches into."""
    return CACHE


def _loopback_only(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"a test wanted to connect to {address[0]}")
        return connect(self, address)

    return guarded


def _known_names_only(look_up: Any) -> Any:
    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        if host and not _is_loopback(host):
            pytest.fail(f"a test wanted to look up {host}")
        return look_up(host, *arguments, **options)

    return guarded


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
