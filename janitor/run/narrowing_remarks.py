"""Says what `--user` and `--fingerprint` left out of a plan, and which of their patterns match nothing in it."""

from collections.abc import Iterable, Iterator

from janitor.archive.plan_reader import ReadRow
from janitor.report.model import MATCHES_NOTHING, Remark
from janitor.tokens.narrowing import Narrowing
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys
from janitor.tokens.words import format_count

_MAX_PATTERNS = 5


def build_narrowing_remarks(narrowing: Narrowing, planned: Iterable[ReadRow], left_out: int) -> Iterator[Remark]:
    """Build the warnings of a plan that is limited to some rows; none for any other plan.

    Args:
        narrowing: the patterns that it is limited to. Those of a plan that is carried out said this when it was made.
        planned: its rows.
        left_out: how many more rows it would hold without them.
    """
    if not (narrowing.users or narrowing.fingerprints):
        return
    rest = f"; {format_count(left_out, 'more row')} that may be deleted {'was' if left_out == 1 else 'were'} left out"
    message = f"only rows that match {_describe(narrowing)} were planned{rest if left_out else ''}"
    yield Remark(where="plan", code="left-out", message=message)
    unmatched = narrowing.find_unmatched((row, line.fingerprint, line.row_name) for line, row in planned)
    if unmatched:
        is_one = len(unmatched.users) + len(unmatched.fingerprints) == 1
        advice = "check the spelling (case matters)" if unmatched.users else "check the spelling"
        if unmatched.fingerprints:
            advice += ", and that --fingerprint-key-file is that of the report that it is from"
        message = f"{_describe(unmatched)} {'matches' if is_one else 'match'} no planned row; {advice}"
        yield Remark(where="plan", code=MATCHES_NOTHING, message=message)


def _describe(narrowing: Narrowing) -> str:
    given = {"--user": narrowing.users, "--fingerprint": narrowing.fingerprints}
    return " and ".join(f"{flag} {_quote(patterns)}" for flag, patterns in given.items() if patterns)


def _quote(patterns: tuple[str, ...]) -> str:
    quoted = [f"'{printable(remove_keys(pattern))}'" for pattern in patterns[:_MAX_PATTERNS]]
    more = len(patterns) - len(quoted)
    return ", ".join([*quoted, *([f"{more:,} more"] if more else [])])
