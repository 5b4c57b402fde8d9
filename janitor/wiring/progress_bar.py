"""The progress bar: rows, rows a second and time left."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class ProgressBar:
    """A bar on stderr. The total is DynamoDB's ItemCount, about six hours old, so it grows when it was too small."""

    def __init__(self, total: int, doing: str) -> None:
        self._progress = Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            _RowsPerSecond(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(doing, total=total or None)
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
        """Take the bar away."""
        self._progress.stop()


class _RowsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "", style="progress.data.speed")
