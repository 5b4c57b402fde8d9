"""How a run shows how far it is: a bar on a terminal, nothing elsewhere."""

import sys

from janitor.run.progress import NoProgress, Progress
from janitor.terminal import moves_its_cursor


def progress_for(total: int, doing: str) -> Progress:
    """A bar when stderr is a terminal that can show one, else silence.

    Args:
        total: how many rows are expected.
        doing: what is done with them, in a word.
    """
    if not moves_its_cursor(sys.stderr):
        return NoProgress()
    from janitor.wiring.progress_bar import ProgressBar

    return ProgressBar(total, doing)
