import fcntl
import json
import os
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

from janitor.serve.jobs import Job
from janitor.serve.memory import Memory
from janitor.serve.runs import Runs
from tests.unit.serve.boards import TABLE, job


def runs_in(folder: Path, one: Job | None = None, *keys: str) -> tuple[Runs, Memory]:
    """Runs of a job that is always there; each time it is asked for its keys it has one more of these."""
    memory, asked = Memory(folder / "daemon.json"), SimpleQueue[int]()

    def keys_of(_: Job) -> frozenset[str]:
        asked.put(1)
        return frozenset(keys[: asked.qsize()])

    return Runs(folder / "runs", memory, lambda _: one, keys_of, ()), memory


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


def test_a_run_is_told_its_job_and_not_to_check_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is replaced by one that writes its environment down and ends well, without a report."""
    program = tmp_path / "program"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "folder = sys.argv[sys.argv.index('--keep-in') + 1]\n"
        "open(os.path.join(folder, 'seen'), 'w').write(json.dumps(dict(os.environ)))\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    for name in ("JANITOR_CHECK", "JANITOR_KEEP_IN", "JANITOR_LEASE_HOLDER", "JANITOR_DRY_RUN"):
        monkeypatch.setenv(name, "1")
    # What is known of its table grows while it waits: it asks for its turn once more.
    runs, memory = runs_in(tmp_path, job(tmp_path, TABLE), "named", "located")
    runs.run("nightly")
    seen = json.loads((tmp_path / "runs" / "nightly" / "seen").read_text())
    assert {name for name in seen if name.startswith("JANITOR_")} & {
        "JANITOR_CHECK",
        "JANITOR_KEEP_IN",
        "JANITOR_LEASE_HOLDER",
        "JANITOR_DRY_RUN",
        "JANITOR_JOB",
    } == {"JANITOR_DRY_RUN", "JANITOR_JOB"}
    assert seen["JANITOR_JOB"] == "nightly"
    known = memory.of("nightly")
    assert (known.exit_code, known.outcome, known.succeeded_at, known.runs) == (0, "failed", None, {"failed": 1})


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
    assert memory.of("nightly").outcome == "failed"
