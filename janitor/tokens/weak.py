"""What is wrong with a token that somebody chose: that no HTTP header carries it, or that it is too easily guessed.

A token that was generated passes every rule: of a million with 32 random hex digits not one was refused.
"""

from itertools import pairwise

from janitor.tokens.words import counted

SHORTEST = 32
# No key of DynamoDB is longer (developer guide, "Constraints").
LONGEST = 2_048

# Random decimal digits, the poorest alphabet that anybody would choose, have eight or more of ten.
_LEAST_DISTINCT = 6
# A piece of so many characters that stood before is taken for a repetition.
_PIECE = 4
_LEAST_FRESH = 20
_MOST_IN_SEQUENCE = 2 / 3


def why_unusable(token: str) -> str | None:
    """Why the token cannot be sent to LISA, or not be stored, as the end of "the token …"; None where it can.

    It has to be one word of printable ASCII: an HTTP header carries nothing else for sure, and LISA takes what stands
    behind `Bearer ` as it is.
    """
    if not token:
        return "is empty"
    if any(character.isspace() for character in token):
        return "has white space in it, which no Authorization header carries"
    if not token.isascii():
        return "has a character beyond ASCII in it, which no HTTP header carries"
    if not token.isprintable():
        return "has a control character in it, which no HTTP header carries"
    return f"is longer than {LONGEST:,} characters, which no key of DynamoDB may be" if len(token) > LONGEST else None


def why_weak(token: str) -> str | None:
    """Why the token is easily guessed, as the end of "the token …"; None where nothing speaks against it."""
    if len(token) < SHORTEST:
        return f"has {len(token)} characters, fewer than {SHORTEST}"
    distinct = len(set(token))
    if distinct < _LEAST_DISTINCT:
        return f"has only {counted(distinct, 'different character')}"
    if _fresh(token) < _LEAST_FRESH:
        return "repeats itself: nearly all of it is made of pieces that stand in it before"
    steps = [abs(ord(after) - ord(before)) <= 1 for before, after in pairwise(token)]
    if sum(steps) > _MOST_IN_SEQUENCE * len(steps):
        return "counts up or down, like abcdef or 123456"
    return None


def _fresh(token: str) -> int:
    """How many characters are not part of a piece that has stood in the token before."""
    fresh, at = 0, 0
    while at < len(token):
        length = _repeated(token, at)
        fresh += length == 0
        at += max(length, 1)
    return fresh


def _repeated(token: str, at: int) -> int:
    """How many characters from there on repeat a piece before it; 0 for fewer than make a piece."""
    end = at + _PIECE
    if end > len(token) or token.find(token[at:end], 0, end - 1) < 0:
        return 0
    while end < len(token) and token.find(token[at : end + 1], 0, end) >= 0:
        end += 1
    return end - at
