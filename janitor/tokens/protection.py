"""Protected rows: a sweep reports them and never deletes them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate

from janitor.tokens.policy import Policy
from janitor.tokens.redact import redact_pattern
from janitor.tokens.row import Row, is_truthy, text_of
from janitor.tokens.user_name import matches_pattern, normalize_name

# Characters that no literal may hold: wildcards, anything outside ASCII, and `K`, `;` and the backtick, the three ASCII
# characters that NFC also makes of other characters.
_NOT_LITERAL = re.compile(r"[^\x20-\x7e]|[*?K;`]")
# What people put between several names, and around one.
_SEPARATORS = re.compile(r"[\s,;|+/:=\\]+")
_QUOTES_AND_BRACKETS = "\"'`[](){}<>\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb \t"
# Also the marks of regular expressions, mentions and negations.
_MARKS = f"^$@!~{_QUOTES_AND_BRACKETS}"
_BRACES = re.compile(r"([^\s{}]*)\{([^{}]*)\}([^\s{}]*)")
_SET = re.compile(r"\[[^\]]*\]")


def find_protection(row: Row, policy: Policy) -> str | None:
    """Return what protects the row: `hold`, `system`, or `user:PATTERN`; None when nothing does. It may be shown.

    `hold` is the row's own attribute `janitorHold`. Any value that is truthy in Python counts, whatever its type.
    """
    if is_truthy(row.hold):
        return "hold"
    if policy.protect_system and is_truthy(row.is_system):
        return "system"
    username = text_of(row.username)
    if not policy.protect_users or username is None:
        return None
    matching = next((pattern for pattern in policy.protect_users if matches_pattern(username, pattern)), None)
    return None if matching is None else f"user:{redact_pattern(matching)}"


class UnusedPatterns:
    """The `--protect-user` patterns that have matched the owner of no row so far.

    A pattern that matches nobody in the end protects nobody: it is misspelt, or holds several patterns in one.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Start with these patterns, none of which has matched a row yet."""
        self._patterns = tuple(dict.fromkeys(patterns))

    @property
    def patterns(self) -> Sequence[str]:
        """The patterns that are still unused, in their order. Other threads may read it."""
        return self._patterns

    def mark_used(self, matching: Iterable[str]) -> None:
        """Remove patterns that have matched somebody."""
        used = set(matching)
        if used:
            self._patterns = tuple(pattern for pattern in self._patterns if pattern not in used)


def find_matching_patterns(patterns: Sequence[str], rows: Iterable[Row]) -> Sequence[str]:
    """Return those of the patterns that match the owner of one of these rows."""
    if not patterns:
        return ()
    owners = {row.username.S for row in rows if row.username is not None and row.username.S is not None}
    return tuple(pattern for pattern in patterns if any(matches_pattern(owner, pattern) for owner in owners))


def count_misread_patterns(patterns: Iterable[str], owners: Iterable[str | None]) -> dict[str, int]:
    """Count the rows that patterns which match nobody would match if they were read a little differently.

    A pattern may have been meant to match these owners if it holds several patterns (between commas, spaces or the
    like, or in braces), has quotes, brackets or other marks around it, is a regular expression, is a name that itself
    holds a wildcard, or differs from the name in letter case, Unicode form or separators. A pattern that matches nobody
    because its owner has no row today is not counted.

    Args:
        patterns: those that match the owner of no row as they are written.
        owners: the owners of the rows that are to be deleted, one a row; None for a row without owner.

    Returns:
        how many of the rows each pattern would match; without the patterns that would match none.
    """
    lenient = {pattern: compiled for pattern in patterns if (compiled := _compile_lenient(pattern))}
    if not lenient:
        return {}
    counts: Counter[str] = Counter()
    for owner in owners:
        if owner is not None:
            name = _fold(owner)
            counts.update(pattern for pattern, compiled in lenient.items() if compiled.match(name))
    return dict(counts)


def _list_readings(pattern: str) -> Iterator[str]:
    """List what the pattern may mean, folded. Without a letter or digit outside a set a reading would match all."""
    folded = _fold(pattern)
    spread = (f"{before}{each}{after}" for before, inner, after in _BRACES.findall(folded) for each in inner.split(","))
    for whole in (folded, folded.replace(".*", "*"), *spread):
        for part in (whole, *_SEPARATORS.split(whole)):
            for reading in {part, part.strip(_QUOTES_AND_BRACKETS), part.strip(_MARKS)}:
                if any(map(str.isalnum, _SET.sub("", reading))):
                    yield reading


def _compile_lenient(pattern: str) -> re.Pattern[str] | None:
    """Compile what any reading of the pattern matches, and the pattern as a literal, also with other separators."""
    folded = _fold(pattern)
    alternatives = {translate(reading) for reading in _list_readings(pattern)}
    if any(map(str.isalnum, folded)):
        alternatives.add(f"{re.escape(folded)}\\Z")
    if len(words := [re.escape(word) for word in _SEPARATORS.split(folded) if word]) > 1:
        alternatives.add(f"{_SEPARATORS.pattern.join(words)}\\Z")
    return re.compile("|".join(sorted(alternatives))) if alternatives else None


def _fold(text: str) -> str:
    """Remove what a reader does not see: letter case, Unicode form, format characters, spaces around the text."""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).strip()


def longest_literal(pattern: str) -> str:
    """Return the longest text that every user name matching the pattern contains in any Unicode form; may be empty."""
    before_set = normalize_name(pattern).partition("[")[0]
    return max(_NOT_LITERAL.split(before_set), key=len)
