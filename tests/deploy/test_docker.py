"""The image as its Dockerfile describes it; `make image-check` builds and runs it."""

import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from janitor import __version__
from janitor.wiring.places import find_state_directory
from tests.deploy import dockerfile
from tests.deploy.command_line import command_of, variables_of

SHIPPED = ("runtime", "janitor", "demo", "dask", "lambda")  # the stages that an image is made of
SCRIPTS = ("build", "check", "healthcheck.py")
FAKE_ENGINE = """#!/bin/sh
[ "$1" = info ] && exit "${DOCKER_INFO:-0}"
echo "$(basename "$0")"
for word; do echo "$word"; done
"""


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, dockerfile.PATH], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_nothing_is_installed_without_its_hash() -> None:
    runs = [each.rest for each in dockerfile.instructions() if each.name == "RUN"]
    installs = [part for run in runs for part in run.split("&&") if re.search(r"pip\b.* install", part)]
    assert len(installs) == 6
    for install in installs:
        from_lock = "--require-hashes" in install and re.search(r"-r requirements/\w+\.txt", install)
        assert from_lock or ("--no-index" in install and "--no-deps" in install)


def test_what_is_shipped_is_copied_and_never_built() -> None:
    shipped = [each for each in dockerfile.instructions() if each.stage in SHIPPED]
    assert {each.name for each in shipped}.isdisjoint({"RUN", "ADD", "SHELL", "VOLUME"})
    assert all(each.rest.startswith("--from=build") for each in shipped if each.name == "COPY")
    # Without a target, docker builds the last stage.
    assert dockerfile.instructions()[-1].stage == "janitor"


def test_the_build_sees_what_it_copies_and_nothing_of_this_machine() -> None:
    for path in dockerfile.copied_from_context():
        assert (dockerfile.ROOT / path).exists(), path
        assert dockerfile.is_sent(path), path
    assert dockerfile.is_sent("janitor/cli/app.py")
    for path in (".venv/bin/python", ".git/config", "deploy/docker/check", "tests/conftest.py", "plan.ndjson"):
        assert not dockerfile.is_sent(path), path
    assert not dockerfile.is_sent("janitor/cli/__pycache__/app.cpython-313.pyc")


def test_it_runs_as_nobody_and_the_program_reads_its_command_line() -> None:
    (user,) = (each.rest for each in dockerfile.instructions() if each.name == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    (stop,) = (each.rest for each in dockerfile.instructions() if each.name == "STOPSIGNAL")
    assert stop == "SIGTERM"
    assert dockerfile.exec_form("ENTRYPOINT") == ["janitor"]
    assert command_of(dockerfile.exec_form("CMD")) == "serve"
    assert dockerfile.exec_form("HEALTHCHECK") == ["python", "/opt/janitor/healthcheck.py"]
    assert {name for name in dockerfile.environment() if name.startswith("JANITOR_")} <= variables_of("serve")


def test_its_state_lies_in_the_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = dockerfile.environment()
    monkeypatch.setenv("XDG_STATE_HOME", environment["XDG_STATE_HOME"])
    assert str(find_state_directory("--archive")) == environment["HOME"] == "/var/lib/janitor"


def test_it_says_what_it_is() -> None:
    labels = dockerfile.labels()
    prefix = "org.opencontainers.image."
    assert set(labels) == {
        f"{prefix}{name}" for name in ("title", "description", "licenses", "version", "revision", "created")
    }
    assert labels[f"{prefix}licenses"] == "Apache-2.0"
    arguments = {each.rest.partition("=")[0] for each in dockerfile.instructions() if each.name == "ARG"}
    assert {labels[f"{prefix}{name}"] for name in ("version", "revision", "created")} == {
        f"${{{name}}}" for name in arguments & {"VERSION", "REVISION", "CREATED"}
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_can_be_started_and_read(name: str) -> None:
    script = dockerfile.FOLDER / name
    assert os.access(script, os.X_OK)
    if script.read_text().startswith("#!/usr/bin/env python3"):
        compile(script.read_text(), script, "exec")


@pytest.mark.parametrize(
    ("engines", "variables_set", "expected"),
    [
        (["docker", "podman", "buildah"], {}, "docker"),
        (["docker", "podman", "buildah"], {"DOCKER_INFO": "1"}, "podman"),
        (["buildah"], {}, "buildah"),
        (["docker", "buildah"], {"ENGINE": "buildah"}, "buildah"),
    ],
    ids=["docker", "docker without its daemon", "buildah alone", "as told"],
)
def test_the_engine_that_is_there_builds(
    tmp_path: Path, engines: list[str], variables_set: dict[str, str], expected: str
) -> None:
    run = _build(tmp_path, engines, variables_set, "--target", "demo")
    engine, *words = run.stdout.splitlines()
    assert (run.returncode, engine, words[0], words[-1]) == (0, expected, "build", ".")
    assert words[-3:-1] == ["--target", "demo"]
    assert {f"VERSION={__version__}", f"token-janitor:{__version__}", "token-janitor:latest"} <= set(words)
    # Else buildah and podman drop the HEALTHCHECK, and send the whole folder.
    assert ("--format docker" in " ".join(words)) == ("--ignorefile" in words) == (expected != "docker")


def test_without_an_engine_it_says_so_and_a_tag_of_the_callers_is_the_only_one(tmp_path: Path) -> None:
    assert "docker daemon, podman or buildah" in _build(tmp_path, [], {}).stderr
    assert "ENGINE=kaniko is not" in _build(tmp_path, [], {"ENGINE": "kaniko"}).stderr
    plain = _build(tmp_path, ["podman"], {}, "--tag", "mine:1").stdout
    assert "image.source" not in plain
    sourced = _build(tmp_path, ["podman"], {"SOURCE": "ours"}).stdout.split()
    assert "org.opencontainers.image.source=ours" in sourced
    tagged = plain.split()
    assert [word for before, word in itertools.pairwise(tagged) if before == "--tag"] == ["mine:1"]


@pytest.mark.parametrize(
    ("command", "status", "code"),
    [
        (["janitor", "serve", "/etc/janitor/schedules"], 200, 0),
        (["/sbin/docker-init", "--", "janitor", "serve", "/x"], 503, 1),
        (["janitor", "serve", "/etc/janitor/schedules"], None, 1),
        (["janitor", "run", "/etc/janitor/schedules/nightly.toml"], None, 0),
    ],
    ids=["a daemon that is well", "a daemon that is not", "a daemon that does not answer", "one run has no daemon"],
)
def test_a_daemon_is_as_healthy_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], status: int | None, code: int
) -> None:
    healthcheck = _module(dockerfile.FOLDER / "healthcheck.py")
    cmdline = tmp_path / "cmdline"
    cmdline.write_bytes("\0".join([*command, ""]).encode())
    monkeypatch.setattr(healthcheck, "FIRST_PROCESS", cmdline)
    # A proxy of the environment would be asked for loopback too.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with _answering(status) as port:
        monkeypatch.setenv("JANITOR_LISTEN", f"0.0.0.0:{port}")
        main: Callable[[], int] = healthcheck.main
        assert main() == code


def _build(
    folder: Path, engines: list[str], variables_set: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the build script with nothing to find but these engines, each a fake that says how it was called."""
    tools = folder / "bin"
    shutil.rmtree(tools, ignore_errors=True)
    tools.mkdir()
    for tool in ("bash", "sh", "sed", "git", "dirname", "basename"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    for engine in engines:
        (tools / engine).write_text(FAKE_ENGINE)
        (tools / engine).chmod(0o755)
    return subprocess.run(
        [tools / "bash", dockerfile.FOLDER / "build", *arguments],
        env={"PATH": str(tools), **variables_set},
        capture_output=True,
        text=True,
        check=False,
    )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _answering(status: int | None) -> Iterator[int]:
    """A server that answers /healthz with this status, or with None nobody; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status and self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port: int = server.server_address[1]
        if status is None:
            server.server_close()
            yield port
            return
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()


def test_the_list_of_what_is_in_it_names_every_locked_package(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    lock = dockerfile.ROOT / "requirements" / "runtime.txt"
    program = Path(sys.executable).with_name("cyclonedx-py")
    (line,) = (each for each in (dockerfile.ROOT / "Makefile").read_text().splitlines() if "cyclonedx-py " in each)
    words = line.partition("cyclonedx-py ")[2].replace("build/sbom.cdx.json", str(written)).split()
    subprocess.run([program, *words], cwd=dockerfile.ROOT, capture_output=True, check=True)
    made = json.loads(written.read_text())
    locked = set(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", lock.read_text(), re.MULTILINE))
    assert made["bomFormat"] == "CycloneDX"
    assert {(each["name"], each["version"]) for each in made["components"]} == locked


def test_what_a_registry_gets_carries_the_list_of_what_is_in_it() -> None:
    text = (dockerfile.FOLDER / "docker-bake.hcl").read_text()
    targets = dict(re.findall(r'^target "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL))
    assert re.search(r'attest += .*"type=sbom"', targets["shared"])
    for name in ("janitor", "dask"):
        assert 'inherits = ["shared"]' in targets[name]
        assert "attest" not in targets[name]
