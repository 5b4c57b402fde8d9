"""An archive in S3: one object for each group of rows, each an archive of its own.

    s3://bucket/prefix/TABLE-20270131T020000Z-RUN/000001.ndjson

Each object is stored before its rows are deleted, without a closing line, and stored again with the outcomes and the
closing line when the outcome of its last row is known. S3 shows an object as a whole or not at all, and keeps several
copies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from janitor.archive.plan import LineEncoder, PlanHeader, PlannedRow, RowOutcome, ScanFacts
from janitor.background import wait_for_answer
from janitor.errors import SinkError


@dataclass(slots=True)
class _Group:
    """The rows of one object, until the outcome of each is known."""

    number: int
    first_row: int
    rows: list[PlannedRow]
    outcomes: list[RowOutcome] = field(default_factory=list)

    def holds(self, row: int) -> bool:
        return self.first_row <= row < self.first_row + len(self.rows)


class S3Archive:
    """Stores groups of rows as objects under a prefix of a bucket."""

    def __init__(self, location: str, put: Callable[[str, bytes], None], must_end: Callable[[], bool]) -> None:
        """Prepare; stores nothing.

        Args:
            location: `s3://bucket/prefix/…/`, for messages and the report.
            put: stores an object under that prefix by its name; raises SinkError.
            must_end: whether the run has to end, and can no longer wait for S3.
        """
        self.location = location
        self._put = put
        self._must_end = must_end
        self._header: PlanHeader | None = None
        self._stored = 0
        self._rows = 0
        self._open_groups: list[_Group] = []

    def open(self, header: PlanHeader) -> None:
        """Store an archive without rows, to check that objects can be stored."""
        self._header = header
        self._store(_Group(0, 0, []), is_closed=True)

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Store the rows as an object; it is in S3 when this returns."""
        group = _Group(self._stored + 1, self._rows, list(rows))
        self._store(group, is_closed=False)
        self._stored += 1
        self._rows += len(rows)
        self._open_groups.append(group)
        return group.first_row

    def record_outcomes(self, outcomes: Sequence[RowOutcome]) -> None:
        """Record outcomes; an object is stored again when the outcomes of all its rows are known."""
        for outcome in outcomes:
            for group in self._open_groups:
                if group.holds(outcome.number):
                    group.outcomes.append(outcome)
        for group in [group for group in self._open_groups if len(group.outcomes) == len(group.rows)]:
            self._open_groups.remove(group)
            self._store(group, is_closed=True)

    def close(self, scan_facts: ScanFacts | None) -> None:  # noqa: ARG002  # it describes the whole, not one object
        """Store the groups that have rows without an outcome again, with the outcomes that are known."""
        for group in self._open_groups:
            self._store(group, is_closed=True)
        self._open_groups.clear()

    def abandon(self) -> None:
        """Do nothing: what is stored stays, without its outcomes."""

    def _store(self, group: _Group, *, is_closed: bool) -> None:
        """Store a group; unless it is closed, without a closing line, like an incomplete archive."""
        if self._header is None:
            raise SinkError(f"{self.location} is not open")
        encoder = LineEncoder(self._header)
        rows = encoder.encode_rows(group.rows)
        outcomes = encoder.encode_outcomes(
            [msgspec.structs.replace(outcome, number=outcome.number - group.first_row) for outcome in group.outcomes]
        )
        closing = encoder.encode_closing(None) if is_closed else b""
        content = b"".join((encoder.header, rows, outcomes, closing))
        name = f"{group.number:06}.ndjson"
        stored_name = wait_for_answer(lambda: self._put_object(name, content), self._must_end)
        if stored_name is None:
            sentence = f"{self.location}{name} was not stored before the run had to end"
            raise SinkError(sentence, "check whether S3 answers", "no-answer")

    def _put_object(self, name: str, content: bytes) -> str:
        self._put(name, content)
        return name
