"""Encode a judged row, to keep it until the report is made, or to send it to another process."""

import msgspec

from janitor.readers.interface import JudgedRow
from janitor.tokens.classify import State, Verdict
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Gate
from janitor.tokens.row import Row


class PackedRow(msgspec.Struct, array_like=True, gc=False):
    """A judged row that msgspec can encode. The expiry is a text, because the number may be too large for msgspec."""

    row: Row
    state: State
    accepted_by: tuple[Gate, ...]
    expiry: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None = None
    undated_since: int | None = None

    def __repr__(self) -> str:
        return "PackedRow(…)"


def pack(found: JudgedRow) -> PackedRow:
    """Convert a judged row to its packed form."""
    row, verdict, outcome = found
    expiry = None if verdict.expiry is None else str(verdict.expiry)
    return PackedRow(row, verdict.state, verdict.accepted_by, expiry, verdict.reasons, outcome, verdict.undated_since)


def unpack(packed: PackedRow) -> JudgedRow:
    """Convert a packed row back."""
    expiry = None if packed.expiry is None else int(packed.expiry)
    verdict = Verdict(packed.state, packed.accepted_by, expiry, packed.reasons, packed.undated_since)
    return JudgedRow(packed.row, verdict, packed.outcome)


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(PackedRow).decode


def to_json(found: JudgedRow) -> bytes:
    """Encode a judged row as a line of JSON."""
    return _ENCODE(pack(found))


def from_json(line: bytes) -> JudgedRow:
    """Decode a judged row from a line of JSON."""
    return unpack(_DECODE(line))
