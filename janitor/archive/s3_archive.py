"""An archive in S3: an object a group of rows, each an archive of its own.

    s3://bucket/prefix/TABLE-20270131T020000Z-RUN/000001.ndjson

Each is stored before its rows are deleted, as one that was cut off, and once more with the outcomes and the closing
line when the last of its rows is settled. S3 shows an object whole or not at all, and keeps it on several machines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from janitor.archive.archive import Settlement
from janitor.archive.plan import UNKNOWN, Header, Lines, PlannedRow, Population
from janitor.background import answer_of
from janitor.errors import SinkError


@dataclass(slots=True)
class _Group:
    """One object, until every outcome of its rows is known."""

    number: int
    first_row: int
    rows: list[PlannedRow]
    settlements: list[Settlement] = field(default_factory=list)

    def holds(self, row: int) -> bool:
        return self.first_row <= row < self.first_row + len(self.rows)


class S3Archive:
    """As `Archive`, below a prefix of a bucket."""

    def __init__(self, location: str, put: Callable[[str, bytes], None], is_over: Callable[[], bool]) -> None:
        """Prepare; nothing is stored.

        Args:
            location: `s3://bucket/prefix/…/`, for messages and the report.
            put: stores an object under a name below that; raises SinkError.
            is_over: whether the run has to end, and can wait for S3 no longer.
        """
        self.location = location
        self._put = put
        self._is_over = is_over
        self._header: Header | None = None
        self._stored = 0
        self._rows = 0
        self._unsettled: list[_Group] = []

    def open(self, header: Header) -> None:
        """Store an archive without rows, which proves that others can be stored."""
        self._header = header
        self._store(_Group(0, 0, []), UNKNOWN)

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """As `Archive.store`: the object is in S3 when it returns."""
        group = _Group(self._stored + 1, self._rows, list(rows))
        self._store(group, None)
        self._stored += 1
        self._rows += len(rows)
        self._unsettled.append(group)
        return group.first_row

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """As `Archive.settle`: an object is stored again when the last of its rows is settled."""
        for settlement in settlements:
            for group in self._unsettled:
                if group.holds(settlement.number):
                    group.settlements.append(settlement)
        for group in [group for group in self._unsettled if len(group.settlements) == len(group.rows)]:
            self._unsettled.remove(group)
            self._store(group, UNKNOWN)

    def close(self, population: Population) -> None:  # noqa: ARG002  # of the whole, and no object has that
        """Store the groups that have rows without an outcome, with the outcomes that there are."""
        for group in self._unsettled:
            self._store(group, UNKNOWN)
        self._unsettled.clear()

    def abandon(self) -> None:
        """Nothing to let go of: what is stored stays, without its outcomes."""

    def _store(self, group: _Group, population: Population | None) -> None:
        """Store a group; without a population it has no closing line, as one that was cut off."""
        if self._header is None:
            raise SinkError(f"{self.location} is not open")
        lines = Lines(self._header)
        parts = [lines.header, lines.block((row.fingerprint, row.row_name, row.state, row.item) for row in group.rows)]
        parts.append(
            lines.outcomes(
                (number - group.first_row, fingerprint, outcome, item)
                for number, fingerprint, outcome, item in group.settlements
            )
        )
        if population is not None:
            parts.append(lines.closing(population))
        name = f"{group.number:06}.ndjson"
        stored = answer_of(lambda: self._stored_as(name, b"".join(parts)), self._is_over)
        if stored is None:
            sentence = f"{self.location}{name} was not stored before the run had to end"
            raise SinkError(sentence, "see whether S3 answers", "no-answer")

    def _stored_as(self, name: str, content: bytes) -> str:
        self._put(name, content)
        return name
