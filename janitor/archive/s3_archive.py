"""An archive in S3: one object for each group of rows, each an archive of its own.

    s3://bucket/prefix/TABLE-20270131T020000Z-RUN/000001.ndjson

Each object is stored before its rows are deleted, without a closing line, and stored again with the outcomes and the
closing line when the outcome of its last row is known. S3 shows an object as a whole or not at all, and keeps several
copies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from janitor.archive.archive import Settlement
from janitor.archive.plan import UNKNOWN_POPULATION, LineEncoder, PlanHeader, PlannedRow, Population
from janitor.background import wait_for_answer
from janitor.errors import SinkError


@dataclass(slots=True)
class _Group:
    """The rows of one object, until the outcome of each is known."""

    number: int
    first_row: int
    rows: list[PlannedRow]
    settlements: list[Settlement] = field(default_factory=list)

    def holds(self, row: int) -> bool:
        return self.first_row <= row < self.first_row + len(self.rows)


class S3Archive:
    """Stores groups of rows as objects under a prefix of a bucket."""

    def __init__(self, location: str, put: Callable[[str, bytes], None], is_over: Callable[[], bool]) -> None:
        """Prepare; stores nothing.

        Args:
            location: `s3://bucket/prefix/…/`, for messages and the report.
            put: stores an object under that prefix by its name; raises SinkError.
            is_over: whether the run has to end, and can no longer wait for S3.
        """
        self.location = location
        self._put = put
        self._is_over = is_over
        self._header: PlanHeader | None = None
        self._stored = 0
        self._rows = 0
        self._open_groups: list[_Group] = []

    def open(self, header: PlanHeader) -> None:
        """Store an archive without rows, to check that objects can be stored."""
        self._header = header
        self._store(_Group(0, 0, []), UNKNOWN_POPULATION)

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Store the rows as an object; it is in S3 when this returns."""
        group = _Group(self._stored + 1, self._rows, list(rows))
        self._store(group, None)
        self._stored += 1
        self._rows += len(rows)
        self._open_groups.append(group)
        return group.first_row

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Record outcomes; an object is stored again when the outcomes of all its rows are known."""
        for settlement in settlements:
            for group in self._open_groups:
                if group.holds(settlement.number):
                    group.settlements.append(settlement)
        for group in [group for group in self._open_groups if len(group.settlements) == len(group.rows)]:
            self._open_groups.remove(group)
            self._store(group, UNKNOWN_POPULATION)

    def close(self, population: Population) -> None:  # noqa: ARG002  # it describes the whole, not one object
        """Store the groups that have rows without an outcome again, with the outcomes that are known."""
        for group in self._open_groups:
            self._store(group, UNKNOWN_POPULATION)
        self._open_groups.clear()

    def abandon(self) -> None:
        """Do nothing: what is stored stays, without its outcomes."""

    def _store(self, group: _Group, population: Population | None) -> None:
        """Store a group; without a population it has no closing line, like an incomplete archive."""
        if self._header is None:
            raise SinkError(f"{self.location} is not open")
        encoder = LineEncoder(self._header)
        rows = encoder.encode_rows((row.fingerprint, row.row_name, row.state, row.item) for row in group.rows)
        outcomes = encoder.encode_outcomes(
            (number - group.first_row, fingerprint, outcome, item)
            for number, fingerprint, outcome, item in group.settlements
        )
        closing = b"" if population is None else encoder.encode_closing(population)
        content = b"".join((encoder.header, rows, outcomes, closing))
        name = f"{group.number:06}.ndjson"
        stored_name = wait_for_answer(lambda: self._put_object(name, content), self._is_over)
        if stored_name is None:
            sentence = f"{self.location}{name} was not stored before the run had to end"
            raise SinkError(sentence, "check whether S3 answers", "no-answer")

    def _put_object(self, name: str, content: bytes) -> str:
        self._put(name, content)
        return name
