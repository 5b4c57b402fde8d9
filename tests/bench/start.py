"""What a run costs before its first row: a scan of a small table, beside a plain boto3 script that does the same."""

import json
import statistics
from functools import partial

from tests.bench.commands import TABLE, janitor_scan
from tests.bench.figures import Figure, at_most, in_turns
from tests.bench.local_table import local_table
from tests.bench.processes import CommandFailedError, measure, output_of
from tests.dynamodb_local import cache_folder, find

_ROWS = 20
_FINDING_EVERY = 2
_PAIRS = 21
_GOAL = 1.15
_OURS, _THEIRS = "janitor scan", "boto3 script"


def run() -> list[Figure]:
    """Measure both in every round; without DynamoDB Local, say why there is no figure."""
    installation = find(cache_folder())
    if isinstance(installation, str):
        return [Figure(f"{_OURS} / {_THEIRS}, CPU", f"not measured: {installation}", f"<= {_GOAL:.2f}")]
    with local_table(installation, _ROWS, finding_every=_FINDING_EVERY) as url:
        commands = {_OURS: janitor_scan(url), _THEIRS: ("-m", "tests.bench.peers.script", url, TABLE)}
        # Also the run that fills Python's byte-code cache.
        _see_that_they_agree(commands)
        seconds = in_turns({name: partial(_cpu_seconds, command) for name, command in commands.items()}, _PAIRS)
    ratios = [ours / theirs for ours, theirs in zip(seconds[_OURS], seconds[_THEIRS], strict=True)]
    return [
        *(Figure(f"{name} of {_ROWS} rows, CPU", f"{statistics.median(seconds[name]):.3f} s") for name in commands),
        Figure("lowest and highest of the pairs' ratios", f"{min(ratios):.2f} to {max(ratios):.2f}"),
        at_most(f"{_OURS} / {_THEIRS}, CPU, median of {_PAIRS} pairs", statistics.median(ratios), _GOAL, form="{:.2f}"),
    ]


def _see_that_they_agree(commands: dict[str, tuple[str, ...]]) -> None:
    ours, theirs = (json.loads(output_of(commands[name])) for name in (_OURS, _THEIRS))
    counted = {state: count for state, count in ours["counts"].items() if count and state != "scanned"}
    if counted != theirs["counts"] or len(ours["findings"]) != len(theirs["findings"]):
        raise CommandFailedError(f"start: janitor counts {counted}, and the script {theirs['counts']}")


def _cpu_seconds(command: tuple[str, ...]) -> float:
    return measure(command).cpu_seconds
