"""A found row as bytes: to be kept until the report is made, or sent from one process to another."""

import msgspec

from janitor.readers.interface import FoundRow
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.row import Row


class PackedRow(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a row. The expiry is a text, for it may be too large a number for msgspec."""

    row: Row
    state: State
    accepted_by: tuple[Gate, ...]
    expiry: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None = None

    def __repr__(self) -> str:
        return "PackedRow(…)"


def pack(found: FoundRow) -> PackedRow:
    """The row, fit for an encoder of msgspec."""
    row, verdict, outcome = found
    expiry = None if verdict.expiry is None else str(verdict.expiry)
    return PackedRow(row, verdict.state, verdict.accepted_by, expiry, verdict.reasons, outcome)


def unpack(packed: PackedRow) -> FoundRow:
    """The way back."""
    expiry = None if packed.expiry is None else int(packed.expiry)
    verdict = Classification(packed.state, packed.accepted_by, expiry, packed.reasons)
    return FoundRow(packed.row, verdict, packed.outcome)


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(PackedRow).decode


def to_json(found: FoundRow) -> bytes:
    """The row as a line of JSON."""
    return _ENCODE(pack(found))


def from_json(line: bytes) -> FoundRow:
    """The way back."""
    return unpack(_DECODE(line))
