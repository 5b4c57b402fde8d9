"""The entry for AWS Lambda: `janitor.aws.lambda_handler.handle_event` does one run of a schedule file.

The run is `janitor run` in a process of its own, as each run of the daemon is. So nothing of it is left in the
function's process, which serves the next invocation too, and the run has a main thread for its deadline, whatever
thread the handler is called in.

Lambda's own runtime client (awslambdaric, the extra `lambda`) calls the handler. Nothing of it is imported here.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from janitor.errors import ConfigurationError, ExitCode, JanitorError, describe_exit_code
from janitor.settings.setting import ENVIRONMENT_PREFIX

# Read here alone: the run gets it as a file, and would refuse a variable that it does not know.
SCHEDULE_VARIABLE = f"{ENVIRONMENT_PREFIX}SCHEDULE"
_SCHEDULE_KEY = "schedule"

# The run's deadline comes so long before Lambda ends the function: 5 for a run to stop (docs/how-to/monitor.md,
# "Stop it at once"), the rest for its process to start, which a function with little memory does slowly.
RESERVED_SECONDS = 15
# A run that has not ended by then is killed, so that the answer still says so.
_ANSWER_SECONDS = 2.0

_WAY_OUT = f'give {{}}, or {{"{_SCHEDULE_KEY}": "the text of a schedule file"}}'
_SUCCESSES = (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)


class LambdaContext(Protocol):
    """What is used of the context that Lambda gives to a handler."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """How many milliseconds are left until Lambda ends the function."""


class RunFailedError(JanitorError):
    """The run did not end well. Lambda counts an invocation as an error if its handler raises."""

    default_code = "run-failed"


def handle_event(event: object, context: LambdaContext) -> dict[str, Any]:
    """Do one run of the schedule file that the environment or the event holds.

    Args:
        event: an object that is empty, or has the key `schedule`, the text of a schedule file.
        context: the invocation's; the run's deadline is the time that it has left, less `RESERVED_SECONDS`.

    Returns:
        for Lambda's answer, as JSON: `exit_code` (0 or 3), and of the report `run_id`, `outcome`, `counts` by state and
        `deleted`, the number of rows.

    Raises:
        RunFailedError: the run ended with any other exit code, or not in time.
        ConfigurationError: there is no schedule file, or two, or not enough time; nothing was run.
    """
    schedule = _choose_schedule(event, os.environ.get(SCHEDULE_VARIABLE, ""))
    left = context.get_remaining_time_in_millis() / 1000
    deadline = int(left) - RESERVED_SECONDS
    if deadline < 1:
        sentence = f"the function has {left:.0f} seconds left, and {RESERVED_SECONDS} of them are kept for its end"
        raise ConfigurationError(sentence, "raise the function's timeout; 300 seconds suffice for most tables")
    with tempfile.TemporaryDirectory(prefix="janitor-") as folder:
        # The file's name becomes the job's, in metrics.
        file = Path(folder, f"{context.function_name}.toml")
        # What is no UTF-8 stays none, and the run says so of its file.
        file.write_bytes(schedule.encode("utf-8", "surrogatepass"))
        exit_code = _run(file, deadline, timeout=left - _ANSWER_SECONDS)
        report = _read_report(file)
    if exit_code not in _SUCCESSES:
        what = ": ".join(part for part in (f"exit code {exit_code}", describe_exit_code(exit_code)) if part)
        raise RunFailedError(f"the run ended with {what}; the function's log says why")
    return {"exit_code": exit_code, **report}


def _choose_schedule(event: object, of_environment: str) -> str:
    """The text of the schedule file. An event cannot replace that of the environment, which the deployment chose."""
    if event is not None and not isinstance(event, Mapping):
        raise ConfigurationError("the event is not a JSON object", _WAY_OUT)
    given = event or {}
    if set(given) - {_SCHEDULE_KEY}:
        # They are not repeated: an event may hold anything.
        raise ConfigurationError(f"the event has other keys than {_SCHEDULE_KEY!r}", _WAY_OUT)
    of_event = given.get(_SCHEDULE_KEY, "")
    if not isinstance(of_event, str):
        raise ConfigurationError("the event's schedule is not a text", _WAY_OUT)
    if of_event and of_environment:
        sentence = f"the event has a schedule, and the function's variable {SCHEDULE_VARIABLE} has another"
        raise ConfigurationError(sentence, "leave one of them out; nothing was run")
    if not (of_event or of_environment).strip():
        sentence = f"there is no schedule file: the event has none, nor has the variable {SCHEDULE_VARIABLE}"
        raise ConfigurationError(sentence, "put the text of a schedule file into one of them")
    return of_event or of_environment


def _run(file: Path, deadline: int, timeout: float) -> int:
    """Run the file in a process of its own, and return its exit code; logs go to this process's standard error.

    Args:
        file: the schedule file; the run's report is kept beside it.
        deadline: the run's, in seconds.
        timeout: the seconds after which it is killed.

    Raises:
        RunFailedError: it was killed.
    """
    # Standard output is the function's log too, where nobody wants a whole report.
    options = ["--keep-in", str(file.parent), "--deadline", f"{deadline}s", "--format", "none"]
    command = [sys.executable, "-m", "janitor", "run", str(file), *options]
    environment = {name: value for name, value in os.environ.items() if name != SCHEDULE_VARIABLE}
    try:
        ended = subprocess.run(  # noqa: S603  # this program
            command, env=environment, stdin=subprocess.DEVNULL, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise RunFailedError("the run did not end in time and was killed", "see the function's log") from None
    return ended.returncode


def _read_report(file: Path) -> dict[str, Any]:
    """What the answer says of the report beside the file; nothing if there is none, as after a wrong configuration."""
    path = file.with_name("report.json")
    if not path.exists():
        return {}
    report = json.loads(path.read_bytes())
    return {
        "run_id": report["run"]["id"],
        "outcome": report["run"]["outcome"],
        "counts": report["counts"],
        "deleted": report["deletion"]["deleted"],
    }
