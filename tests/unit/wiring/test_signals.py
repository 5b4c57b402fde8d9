import signal
import subprocess
import sys

import pytest

# Its main thread never comes back, whatever is asked of it; the last resort is near.
STUCK = """
import os, signal, sys, threading
from janitor.wiring import signals
signals._LAST_RESORT_SECONDS = 0.2
with signals.stop_on_signals(1 if sys.argv[1] == "deadline" else None):
    print("ready", flush=True)
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""
END_SECONDS = 60


@pytest.mark.parametrize(("how", "code"), [("deadline", 1), ("signal", 143)])
def test_a_run_that_is_stuck_is_ended_and_says_so(how: str, code: int) -> None:
    command = [sys.executable, "-c", STUCK, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if how == "signal":
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=END_SECONDS)
    assert process.returncode == code
    why = "its deadline" if how == "deadline" else "SIGTERM"
    assert err.decode().startswith(f"janitor: ended itself: still blocked 0 seconds after {why}")
    assert err.count(b"\n") == 1
