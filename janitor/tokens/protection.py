"""Which rows are reported but never deleted."""

import re
from collections.abc import Iterable, Sequence

from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, is_true, text_of
from janitor.tokens.user_name import composed, fits

# Neither what a pattern means something by, nor the three ASCII characters that another character is composed to.
_LITERALS = re.compile(r"[^\x20-\x7e]|[*?K;`]")


def protected_by(row: Row, policy: Policy) -> str | None:
    """What protects the row: `hold`, `system`, or `user:PATTERN`; None when nothing does.

    `hold` is the row's own attribute `janitorHold`. Any value that Python takes for true holds, whatever its type.
    """
    if is_true(row.hold):
        return "hold"
    if policy.protect_system and is_true(row.is_system):
        return "system"
    username = text_of(row.username)
    if not policy.protect_users or username is None:
        return None
    return next((f"user:{pattern}" for pattern in policy.protect_users if fits(username, pattern)), None)


class UnusedPatterns:
    """The patterns of protected users that have fitted the owner of no row so far.

    One that fits nobody in the end protects nobody: it is misspelt, or is several in one.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Args: the patterns, of which none has fitted a row."""
        self._left = tuple(dict.fromkeys(patterns))

    @property
    def left(self) -> Sequence[str]:
        """Those that are left, in their order. Another thread may ask."""
        return self._left

    def drop(self, fitting: Iterable[str]) -> None:
        """Take note that these have fitted somebody."""
        gone = set(fitting)
        if gone:
            self._left = tuple(pattern for pattern in self._left if pattern not in gone)


def patterns_that_fit(patterns: Sequence[str], rows: Iterable[Row]) -> Sequence[str]:
    """Those of the patterns that fit the owner of one of these rows."""
    if not patterns:
        return ()
    owners = {row.username.S for row in rows if row.username is not None and row.username.S is not None}
    return tuple(pattern for pattern in patterns if any(fits(owner, pattern) for owner in owners))


def text_in_every_match(pattern: str) -> str:
    """A text that stands in every user name which the pattern fits, in whatever form of Unicode; it may be empty."""
    before_a_set = composed(pattern).partition("[")[0]
    return max(_LITERALS.split(before_a_set), key=len)
