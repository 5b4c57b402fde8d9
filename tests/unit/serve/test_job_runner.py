import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from structlog.testing import capture_logs

from janitor.serve.job_memory import JobMemory
from janitor.serve.job_runner import JobRunner
from janitor.serve.jobs import ScheduledJob
from tests.unit.serve.statuses import TABLE, job


def runs_in(folder: Path, one: ScheduledJob | None = None, *keys: str) -> tuple[JobRunner, JobMemory]:
    """Runs of a job that is always there; each time it is asked for its keys it has one more of these."""
    memory, asked = JobMemory(folder / "daemon.json"), SimpleQueue[int]()

    def keys_of(_: ScheduledJob) -> frozenset[str]:
        asked.put(1)
        return frozenset(keys[: asked.qsize()])

    return JobRunner(folder / "runs", memory, lambda _: one, keys_of, (), max_runs=2), memory


def test_a_job_that_is_gone_for_long_is_forgotten_with_its_reports_and_nothing_else(tmp_path: Path) -> None:
    runs, memory = runs_in(tmp_path)
    kept = tmp_path / "runs" / "gone"
    (kept / "a").mkdir(parents=True)
    (kept / "a" / "report.html").write_text("x")
    (tmp_path / "runs" / "stays").mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "precious")
    names = ("gone", "link", "never-ran", "../precious", "..", ".", "", str(tmp_path / "precious"))
    for name in names:
        memory.update(name, gone_at=1.0)
        runs.forget(name)
    assert memory.all() == {}
    assert not kept.exists()
    assert (tmp_path / "runs" / "stays").is_dir()
    assert (tmp_path / "precious").is_dir()


def test_a_run_is_told_its_job_and_whatever_the_daemon_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is replaced by one that writes its environment down and ends well, without a report."""
    program = tmp_path / "program"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "folder = sys.argv[sys.argv.index('--keep-in') + 1]\n"
        "open(os.path.join(folder, 'seen'), 'w').write(json.dumps(dict(os.environ)))\n"
        "open(os.environ['JANITOR_ERROR_FILE'], 'a').write('janitor: it failed\\n')\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    for name in ("JANITOR_LEASE_HOLDER", "JANITOR_DRY_RUN"):
        monkeypatch.setenv(name, "1")
    # What is known of its table grows while it waits: it asks for its turn once more.
    runs, memory = runs_in(tmp_path, job(tmp_path, TABLE), "named", "located")
    runs.run("nightly")
    seen = json.loads((tmp_path / "runs" / "nightly" / "seen").read_text())
    given = {name: value for name, value in seen.items() if name.startswith("JANITOR_")}
    error_file = tmp_path / "runs" / "nightly" / "errors.txt"
    assert given == {"JANITOR_DRY_RUN": "1", "JANITOR_JOB": "nightly", "JANITOR_ERROR_FILE": str(error_file)}
    known = memory.get("nightly")
    assert (known.exit_code, known.outcome, known.succeeded_at, known.runs) == (0, "failed", None, {"failed": 1})
    # What went wrong is that run's alone, and is still known to a daemon that starts later.
    runs.run("nightly")
    assert memory.get("nightly").errors == JobMemory(tmp_path / "daemon.json").get("nightly").errors == ("it failed",)


@pytest.mark.parametrize(("chosen", "is_heard"), [("ndjson", True), ("json", False), ("table", False), ("none", False)])
def test_only_a_report_of_lines_goes_to_the_daemons_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], chosen: str, *, is_heard: bool
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho a report\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    runs, _ = runs_in(tmp_path, job(tmp_path, f"[report]\nformat = '{chosen}'\n{TABLE}"))
    runs.run("nightly")
    assert ("a report" in capfd.readouterr().out.splitlines()) is is_heard


def test_a_run_that_is_at_work_elsewhere_is_a_failure_and_not_the_end(tmp_path: Path) -> None:
    runs, memory = runs_in(tmp_path, job(tmp_path, TABLE), "named")
    folder = tmp_path / "runs" / "nightly"
    folder.mkdir(parents=True)
    descriptor = os.open(folder / ".running", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        runs.run("nightly")
    finally:
        os.close(descriptor)
    assert memory.get("nightly").outcome == "failed"


# Says that it is at work by its report's folder, and ends neither by itself nor when it is asked to.
DEAF = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.mkfifo(os.path.join(sys.argv[sys.argv.index("--keep-in") + 1], "at-work"))
signal.pause()
"""
# As a run that is frozen: it would end when it is asked to, and never comes to it. Nor may it between these two lines.
FROZEN = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.mkfifo(os.path.join(sys.argv[sys.argv.index("--keep-in") + 1], "at-work"))
os.kill(os.getpid(), signal.SIGSTOP)
"""
DEADLINE = f'{TABLE}[limits]\ndeadline = "20m"\n'
SECONDS = 60.0


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Lets runs be another program than janitor."""

    def be(text: str) -> None:
        path = tmp_path / "program"
        path.write_text(f"#!{python}\n{text}")
        path.chmod(0o700)

    python = sys.executable
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "program"))
        yield be


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("text", [DEAF, FROZEN])
def test_a_run_that_outlives_its_deadline_by_a_minute_is_ended_and_its_turn_goes_on(
    tmp_path: Path, program: Callable[[str], None], text: str
) -> None:
    program(text)
    runs, memory = runs_in(tmp_path, job(tmp_path, DEADLINE), "table")
    thread = threading.Thread(target=runs.run, args=["nightly"], daemon=True)
    began = time.monotonic()
    thread.start()
    wait_until((tmp_path / "runs" / "nightly" / "at-work").exists)
    with capture_logs() as logs:
        for late in (-60.0, 0.0, 59.0):
            runs.stop_overdue(began + 1_200 + late)
        assert (logs, runs.is_stuck(began + 1_200 + 59)) == ([], False)
        now = time.monotonic() + 1_200 + 60
        runs.stop_overdue(now)
        runs.stop_overdue(now + 1)
        assert [(line["event"], line["log_level"]) for line in logs] == [("job.overdue", "error")]
        assert thread.is_alive()
        runs.stop_overdue(now + 9)
        assert [line["event"] for line in logs].count("job.killed") == 1
        thread.join(SECONDS)
    assert not thread.is_alive()
    assert not runs.running()
    known = memory.get("nightly")
    assert (known.outcome, known.exit_code, known.was_overdue, known.runs) == ("failed", -9, True, {"failed": 1})


def test_a_run_that_cannot_be_ended_at_all_is_seen(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(FROZEN)
    runs, _ = runs_in(tmp_path, job(tmp_path, DEADLINE), "table")
    thread = threading.Thread(target=runs.run, args=["nightly"], daemon=True)
    thread.start()
    wait_until((tmp_path / "runs" / "nightly" / "at-work").exists)
    now = time.monotonic() + 1_200 + 60
    assert not runs.is_stuck(now + 9)
    # Long after it was to be killed it is still there, as one is whose disk does not answer.
    assert runs.is_stuck(now + 60)
    runs.stop(0, lambda _: False)
    thread.join(SECONDS)
    assert not runs.is_stuck(now + 60)


def test_no_more_runs_are_at_work_at_once_than_may_be(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(FROZEN)
    jobs = {name: job(tmp_path, f'[table]\ntable = "{name}"\n', name) for name in ("a", "b", "c")}
    memory = JobMemory(tmp_path / "daemon.json")
    runs = JobRunner(tmp_path / "runs", memory, jobs.get, lambda one: frozenset({one.name}), (), max_runs=1)
    threads = [threading.Thread(target=runs.run, args=[name], daemon=True) for name in jobs]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(runs.running()) == 1 and len(runs.waiting()) == 2)
    runs.stop(0, lambda _: False)
    for thread in threads:
        thread.join(SECONDS)
    assert sum(len(memory.get(name).runs) for name in jobs) == 1
