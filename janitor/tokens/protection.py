"""Which rows are reported but never deleted."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate

from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, is_true, text_of
from janitor.tokens.user_name import composed, fits

# Neither what a pattern means something by, nor the three ASCII characters that another character is composed to.
_LITERALS = re.compile(r"[^\x20-\x7e]|[*?K;`]")
# What people put between several names, and around one.
_BETWEEN = re.compile(r"[\s,;|+/:=\\]+")
_AROUND = "\"'`[](){}<>\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb \t"
# Of regular expressions, mentions and negations.
_MARKS = f"^$@!~{_AROUND}"
_BRACES = re.compile(r"([^\s{}]*)\{([^{}]*)\}([^\s{}]*)")
_SET = re.compile(r"\[[^\]]*\]")


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


def misread_patterns(patterns: Iterable[str], owners: Iterable[str | None]) -> dict[str, int]:
    """The patterns that would fit some of these owners, were they read a little differently.

    Read so, a pattern is several at once (between commas, spaces or the like, or in braces), has quotes, brackets or
    other marks around it, is a regular expression, is the name itself where that holds a mark of patterns, or has
    another letter case, form of Unicode or separators: whoever wrote it meant those owners. A pattern that fits nobody
    because the owner has no row today is none of these.

    Args:
        patterns: those that fit the owner of no row as they are written.
        owners: of the rows that are to go, one a row; None for a row without one.

    Returns:
        how many of the rows each of the patterns would fit, without those that fit none.
    """
    readings = {pattern: compiled for pattern in patterns if (compiled := _compiled(pattern))}
    if not readings:
        return {}
    found: Counter[str] = Counter()
    for owner in owners:
        if owner is not None:
            name = _folded(owner)
            found.update(pattern for pattern, compiled in readings.items() if compiled.match(name))
    return dict(found)


def _readings(pattern: str) -> Iterator[str]:
    """What may have been meant by the pattern, folded. What has no letter or digit outside of a set would fit all."""
    folded = _folded(pattern)
    spread = (f"{before}{each}{after}" for before, inner, after in _BRACES.findall(folded) for each in inner.split(","))
    for whole in (folded, folded.replace(".*", "*"), *spread):
        for part in (whole, *_BETWEEN.split(whole)):
            for reading in {part, part.strip(_AROUND), part.strip(_MARKS)}:
                if any(map(str.isalnum, _SET.sub("", reading))):
                    yield reading


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Fits what any reading of the pattern fits, and the pattern itself, taken at its word or with other separators."""
    folded = _folded(pattern)
    each = {translate(reading) for reading in _readings(pattern)}
    if any(map(str.isalnum, folded)):
        each.add(f"{re.escape(folded)}\\Z")
    if len(words := [re.escape(word) for word in _BETWEEN.split(folded) if word]) > 1:
        each.add(f"{_BETWEEN.pattern.join(words)}\\Z")
    return re.compile("|".join(sorted(each))) if each else None


def _folded(text: str) -> str:
    """Without what nobody sees of it: letter case, the form of Unicode, format characters, spaces around it."""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).strip()


def text_in_every_match(pattern: str) -> str:
    """A text that stands in every user name which the pattern fits, in whatever form of Unicode; it may be empty."""
    before_a_set = composed(pattern).partition("[")[0]
    return max(_LITERALS.split(before_a_set), key=len)
