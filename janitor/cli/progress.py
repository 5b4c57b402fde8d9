"""How a run shows how far it is: a bar on a terminal, nothing elsewhere."""

import sys

from janitor.run.progress import NoProgress, Progress


def progress_for(total: int, doing: str) -> Progress:
    """A bar when stderr is a terminal, silence otherwise; `total` rows are expected, and `doing` says what is done."""
    if not sys.stderr.isatty():
        return NoProgress()
    from janitor.cli.progress_bar import ProgressBar

    return ProgressBar(total, doing)
