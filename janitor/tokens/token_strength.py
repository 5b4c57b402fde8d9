"""Check a token that somebody chose: can an HTTP header carry it, and is it hard enough to guess?

A generated token passes every rule: of a million with 32 random hex digits not one was refused.
"""

from itertools import pairwise

from janitor.tokens.words import format_count

MIN_LENGTH = 32
# DynamoDB takes no longer partition key (developer guide, "Constraints").
MAX_LENGTH = 2_048

# Random decimal digits, the smallest alphabet that anybody would choose, have eight or more different ones of ten.
_MIN_DISTINCT = 6
# A piece of at least this many characters counts as a repetition if the token has it before.
_MIN_REPEATED_PIECE = 4
_MIN_FRESH = 20
_MAX_IN_SEQUENCE = 2 / 3


def why_unusable(token: str) -> str | None:
    """Say why the token cannot be sent to LISA or stored, as the end of "the token …"; None if it can.

    It has to be one word of printable ASCII: nothing else is sure to pass in an HTTP header, and LISA takes everything
    after `Bearer ` as it is.
    """
    if not token:
        return "is empty"
    if any(character.isspace() for character in token):
        return "contains white space, which no Authorization header carries"
    if not token.isascii():
        return "contains a character outside ASCII, which no HTTP header carries"
    if not token.isprintable():
        return "contains a control character, which no HTTP header carries"
    if len(token) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH:,} characters, the most that a key in DynamoDB may have"
    return None


def why_weak(token: str) -> str | None:
    """Say why the token is easy to guess, as the end of "the token …"; None if no rule finds it weak."""
    if len(token) < MIN_LENGTH:
        return f"has {len(token)} characters, fewer than {MIN_LENGTH}"
    distinct = len(set(token))
    if distinct < _MIN_DISTINCT:
        return f"has only {format_count(distinct, 'different character')}"
    if _count_fresh(token) < _MIN_FRESH:
        return "repeats itself: nearly all of it consists of pieces that occur in it before"
    steps = [abs(ord(after) - ord(before)) <= 1 for before, after in pairwise(token)]
    if sum(steps) > _MAX_IN_SEQUENCE * len(steps):
        return "counts up or down, like abcdef or 123456"
    return None


def _count_fresh(token: str) -> int:
    """Count the characters that do not repeat an earlier piece of the token."""
    fresh, at = 0, 0
    while at < len(token):
        length = _repeated_length(token, at)
        fresh += length == 0
        at += max(length, 1)
    return fresh


def _repeated_length(token: str, at: int) -> int:
    """Count the characters from `at` on that repeat an earlier piece; 0 for fewer than make a piece."""
    end = at + _MIN_REPEATED_PIECE
    if end > len(token) or token.find(token[at:end], 0, end - 1) < 0:
        return 0
    while end < len(token) and token.find(token[at : end + 1], 0, end) >= 0:
        end += 1
    return end - at
