"""Encode a found row, to keep it until the report is made, or to send it to another process."""

import msgspec

from janitor.readers.interface import FoundRow
from janitor.tokens.classify import Classification, State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Gate
from janitor.tokens.row import Row


class PackedRow(msgspec.Struct, array_like=True, gc=False):
    """A found row that msgspec can encode. The expiry is a text, because the number may be too large for msgspec."""

    row: Row
    state: State
    accepted_by: tuple[Gate, ...]
    expiry: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None = None

    def __repr__(self) -> str:
        return "PackedRow(…)"


def pack(found: FoundRow) -> PackedRow:
    """Convert a found row to its packed form."""
    row, verdict, outcome = found
    expiry = None if verdict.expiry is None else str(verdict.expiry)
    return PackedRow(row, verdict.state, verdict.accepted_by, expiry, verdict.reasons, outcome)


def unpack(packed: PackedRow) -> FoundRow:
    """Convert a packed row back."""
    expiry = None if packed.expiry is None else int(packed.expiry)
    verdict = Classification(packed.state, packed.accepted_by, expiry, packed.reasons)
    return FoundRow(packed.row, verdict, packed.outcome)


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(PackedRow).decode


def to_json(found: FoundRow) -> bytes:
    """Encode a found row as a line of JSON."""
    return _ENCODE(pack(found))


def from_json(line: bytes) -> FoundRow:
    """Decode a found row from a line of JSON."""
    return unpack(_DECODE(line))
