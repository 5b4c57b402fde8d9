"""A figure is one line of the bench's report: what was measured, and the goal it stands beside."""

from collections.abc import Iterable
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


def rendered(figures: Iterable[Figure]) -> str:
    """Lay figures out in columns: name, measured, goal, verdict."""
    rows = [(figure.name, figure.measured, figure.goal, figure.verdict) for figure in figures]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {measured:>{widths[1]}}  {goal:<{widths[2]}}  {verdict}".rstrip()
        for name, measured, goal, verdict in rows
    )
