import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from janitor.serve.run_process import RunProcess, stop_orphans, stop_processes
from tests.unit.serve.statuses import NOW, TABLE, job

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""


def stubborn(*arguments: str) -> subprocess.Popen[bytes]:
    """A process that does not end when it is asked to."""
    process = subprocess.Popen([sys.executable, "-c", STUBBORN, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as out:
        assert out.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(("seconds", "is_hurried"), [(0.0, False), (60.0, True)])
def test_what_does_not_end_in_time_or_at_a_second_signal_is_killed(seconds: float, *, is_hurried: bool) -> None:
    child = RunProcess("stubborn", NOW, stubborn(), Path("errors.txt"))
    stop_processes([child], seconds, lambda _: is_hurried)
    assert child.wait() == -signal.SIGKILL


def test_a_job_that_is_still_at_work_is_not_started_beside_itself(tmp_path: Path) -> None:
    with (tmp_path / ".running").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another run of this job is still running"):
            RunProcess.start(job(tmp_path, TABLE), tmp_path, (), NOW)


def test_a_process_id_that_has_come_to_mean_another_process_is_left_alone(tmp_path: Path) -> None:
    other = stubborn()
    try:
        with (tmp_path / ".running").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            stop_orphans({"nightly": (tmp_path, other.pid)})
        stop_orphans({"nightly": (tmp_path, other.pid), "never": (tmp_path / "gone", other.pid)})
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
