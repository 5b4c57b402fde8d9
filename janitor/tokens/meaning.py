"""What a state means, in words for the person who has to act on it."""

from collections.abc import Iterator

from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import spoken_duration
from janitor.tokens.expiration import MAX_SECONDS, as_lisa_reads, moment, probably_meant
from janitor.tokens.fingerprint import is_key_hashed
from janitor.tokens.printable import printable
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import KIND_WORDS, Row, Value
from janitor.tokens.times import minute_of

# What stands before and behind the time from the expiry, or to it.
_DATED = {
    State.STALE: ("refused everywhere for ", ", past its grace"),
    State.EXPIRED: ("refused everywhere for ", ", still in its grace"),
    State.EXPIRING: ("accepted for another ", ""),
    State.ACTIVE: ("accepted for another ", ""),
}


def meaning(row: Row, verdict: Classification, now: int) -> str:
    """One sentence on what the row's state means for whoever holds the token, at the UNIX second `now`."""
    if (dated := _DATED.get(verdict.state)) is not None:
        return spoken_duration(abs((verdict.expiry or 0) - now)).join(dated)
    match verdict.state:
        case State.MALFORMED:
            return f"{_malformed(row.expiration)}; {_acceptance(row, verdict.accepted_by)}"
        case State.LEGACY:
            return f"no tokenUUID; {_acceptance(row, verdict.accepted_by)}"
        case _:
            return f"no expiration; {_acceptance(row, verdict.accepted_by)}"


def row_marks(row: Row, *, is_hashed: bool) -> Iterator[str]:
    """What tells a row from the other one of its token, in words; `is_hashed` of a table in that dialect."""
    if is_hashed:
        yield f"its key is {'the sha256 of the token' if is_key_hashed(row, Dialect.HASHED) else 'the token itself'}"
        uuid = redacted_texts(row).token_uuid
        yield f"tokenUUID {printable(uuid)}" if uuid else "no tokenUUID"


def _acceptance(row: Row, gates: tuple[Gate, ...]) -> str:
    if not gates:
        return "no gate of LISA accepts it"
    who = "LISA accepts it" if Gate.API in gates else "only MCP Workbench still accepts it"
    end = as_lisa_reads(row.expiration) if row.expiration else None
    if end is None:
        return f"{who}, for ever"
    until = moment(end) if end <= MAX_SECONDS else None
    return f"{who} until {until.date()}" if until else f"{who}, in effect for ever"


def _malformed(value: Value | None) -> str:
    kind = KIND_WORDS.get(value.kind, "of no known type") if value else "missing"
    meant = probably_meant(value) if value else None
    when = moment(meant) if meant is not None else None
    guess = f", probably meant as {minute_of(when)} UTC" if when else ""
    return f"tokenExpiration is {kind if kind != 'a number' else 'a number too large for seconds'}{guess}"
