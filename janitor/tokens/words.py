"""Numbers and lists in words."""

from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=4_096)
def counted(number: int, name: str) -> str:
    """How many of what: `1 row`, `1,234 rows`."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def list_some(texts: Sequence[str], most: int, *, names: str = "", total: int | None = None) -> str:
    """The first of these texts, and how many more there are: `a, b and 3 more`.

    Args:
        texts: all of them, or the first where `total` says how many there are.
        most: how many are listed.
        names: what they are, in the plural, said after "more".
        total: how many there are, where that is more than `texts` holds.
    """
    listed = texts[:most]
    more = (len(texts) if total is None else total) - len(listed)
    said = f" and {more:,} more{' ' if names else ''}{names}" if more > 0 else ""
    return f"{', '.join(listed)}{said}"
