"""A figure is one line of the bench's report: what was measured, and the goal it stands beside."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. `met` is None where there is no goal, or nothing was measured."""

    name: str
    measured: str
    goal: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """The last column: met, MISSED or nothing."""
        return {True: "met", False: "MISSED", None: ""}[self.met]


def below(name: str, value: float, goal: float, *, form: str) -> Figure:
    """Make a figure that should stay under `goal`; `form` is a format such as `{:.2f} s`, for both."""
    return Figure(name, form.format(value), f"< {form.format(goal)}", value < goal)


def at_most(name: str, value: float, goal: float, *, form: str) -> Figure:
    """Make a figure that may reach `goal` but not pass it."""
    return Figure(name, form.format(value), f"<= {form.format(goal)}", value <= goal)


def at_least(name: str, value: float, goal: float, *, form: str) -> Figure:
    """Make a figure that should reach `goal`."""
    return Figure(name, form.format(value), f">= {form.format(goal)}", value >= goal)


def lead(ours: str, theirs: str, rates: Mapping[str, Sequence[float]], goal: float | None) -> Figure:
    """Make a figure of how many times as fast one contender was as another: round by round, then the median."""
    ratios = [our / their for our, their in zip(rates[ours], rates[theirs], strict=True)]
    digits = 2 if statistics.median(ratios) < 1 else 1
    median, least, most = (f"{ratio:.{digits}f}" for ratio in (statistics.median(ratios), min(ratios), max(ratios)))
    met = statistics.median(ratios) >= goal if goal else None
    return Figure(f"{ours} / {theirs}", f"{median} ({least} to {most})", f">= {goal:g}" if goal else "", met)


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure each contender's rate in every round; every other round runs backwards, so that no drift favours one."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            rates[name].append(contenders[name]())
    return rates


def rendered(figures: Iterable[Figure]) -> str:
    """Lay figures out in columns: name, measured, goal, verdict."""
    rows = [(figure.name, figure.measured, figure.goal, figure.verdict) for figure in figures]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {measured:>{widths[1]}}  {goal:<{widths[2]}}  {verdict}".rstrip()
        for name, measured, goal, verdict in rows
    )
