"""How a run shows its progress: a bar on a terminal, nothing elsewhere."""

import sys
from typing import TYPE_CHECKING

from janitor.run.progress import NoProgress, Progress
from janitor.terminal import moves_its_cursor

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


def make_progress(total: int, action: str) -> Progress:
    """A bar where stderr is a terminal that can show one; nothing is shown elsewhere.

    Args:
        total: how many rows are expected.
        action: what is done with them, as "scanning".
    """
    return ProgressBar(total, action) if moves_its_cursor(sys.stderr) else NoProgress()


class ProgressBar:
    """A bar on stderr: rows, rows a second and the time left. rich is imported only where there is a bar.

    The total is DynamoDB's ItemCount, about six hours old, so it grows when it was too small.
    """

    def __init__(self, total: int, action: str) -> None:
        from rich import progress
        from rich.console import Console

        self._progress = progress.Progress(
            progress.TextColumn(action),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("rows"),
            _make_rate_column(),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(action, total=total or None)
        self._total = total
        self._done = 0

    def advance(self, rows: int) -> None:
        """Move the bar on by so many rows; the first call shows it."""
        self._progress.start()
        self._done += rows
        if self._done > self._total > 0:
            self._total = self._done
        self._progress.update(self._task, completed=self._done, total=self._total or None)

    def finish(self) -> None:
        """Remove the bar."""
        self._progress.stop()


def _make_rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class RowsPerSecond(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} rows/s" if task.speed else "", style="progress.data.speed")

    return RowsPerSecond()
