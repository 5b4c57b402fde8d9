"""What a reader is given, and what it gives back.

    segment ──pages──> judge(page, rules) ──> Batch ──> the process that decides

A batch holds what came of some rows: sums, findings, and the rows that may be deleted. Reading the same segment again
gives the same batch, so whatever is lost on the way is read again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from janitor.readers.listing import Listing
from janitor.readers.tally import Tally
from janitor.report.model import Finding
from janitor.tokens.classify import Classification
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """By what rows are judged.

    Attributes:
        policy: what is about to expire, stale and protected.
        now: the UNIX second at which rows are judged.
        secret: the key of fingerprints, None for plain ones.
        plans: whether rows that may be deleted are set apart.
        listing: which rows are listed, active ones too; None for those that need somebody.
        label: the table's, where the run has several: each line about a row says it.
        streams: whether a report lists every row as it comes, so that it is worth making the lines where rows are read.
    """

    policy: Policy
    now: int
    secret: bytes | None = None
    plans: bool = False
    listing: Listing | None = None
    label: str | None = None
    streams: bool = False


class FoundRow(NamedTuple):
    """A row worth a line, what it is, and what became of it if it was in a plan."""

    row: Row
    verdict: Classification
    outcome: DeletionOutcome | None = None


class DeletableRow(NamedTuple):
    """A row that may be deleted: its bytes as the server sent them, its fingerprint, and what it is."""

    item: bytes
    fingerprint: str
    found: FoundRow


class Batch(NamedTuple):
    """What some rows came to.

    Attributes:
        tally: sums over all of them.
        found: the rows to list, but for those that may be deleted.
        deletable: the rows that may be deleted, protected ones not among them.
        fitting: the patterns of protected users that fit the owner of one of them, of those that were asked about.
        lines: of each of `found` the report's line, in the same order; empty where whoever read has made none.
    """

    tally: Tally
    found: Sequence[FoundRow]
    deletable: Sequence[DeletableRow] = ()
    fitting: Sequence[str] = ()
    lines: Sequence[Finding] = ()


class Reader(Protocol):
    """Reads all rows that a run is about, each once."""

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """What the rows come to, in any order. Ends early, and quietly, where the run is asked to stop.

        Args:
            rules: by what rows are judged.
            patterns: those of protected users that have fitted nobody so far; asked again and again.

        Raises:
            JanitorError: not all rows could be read. What was given until then holds.
        """
