"""How long a user waits for an answer that needs no table."""

import statistics

from tests.bench.figures import Figure, below
from tests.bench.processes import measure

_RUNS = 9
_GOALS = (
    ("janitor --version", ("-m", "janitor", "--version"), 0.15),
    ("janitor scan --help", ("-m", "janitor", "scan", "--help"), 0.35),
)


def run() -> list[Figure]:
    """Measure each command several times, after one run that fills Python's byte-code cache."""
    return [below(f"{name}, CPU", _median_seconds(command), goal, form="{:.3f} s") for name, command, goal in _GOALS]


def _median_seconds(command: tuple[str, ...]) -> float:
    measure(command)
    return statistics.median(measure(command).cpu_seconds for _ in range(_RUNS))
