"""Format counts and lists in words."""

from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=4_096)
def format_count(number: int, name: str) -> str:
    """Format a number with its noun: `1 row`, `1,234 rows`."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def list_some(texts: Sequence[str], most: int, *, names: str = "", total: int | None = None) -> str:
    """List the first of these texts, and say how many more there are: `a, b and 3 more`.

    Args:
        texts: all of them, or only the first ones if `total` is given.
        most: how many to list.
        names: the plural noun to put after "more".
        total: how many there are, if `texts` does not hold all of them.
    """
    listed = texts[:most]
    more = (len(texts) if total is None else total) - len(listed)
    rest = f" and {more:,} more{' ' if names else ''}{names}" if more > 0 else ""
    return f"{', '.join(listed)}{rest}"
