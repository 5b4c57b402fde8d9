"""The interface of readers: the rules that they get, and the batches that they return.

    segment ──pages──> judge_page(page, rules) ──> Batch ──> the main process

A batch holds the result for some rows: sums, findings, and the rows that may be deleted. Reading the same segment again
gives the same batches, so whatever is lost on the way is read again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from janitor.readers.listing import Listing
from janitor.readers.tally import Tally
from janitor.report.model import Finding
from janitor.tokens.classify import Verdict
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules by which rows are judged.

    Attributes:
        policy: which rows count as about to expire, stale and protected.
        now: the UNIX second at which rows are judged.
        fingerprint_key: the key of fingerprints; None for plain ones.
        plans: whether rows that may be deleted are collected for a plan.
        listing: which rows to list, possibly active ones too; None for those that need attention.
        label: the table's label in a run over several tables, for each line about a row.
        streams: whether a report lists every row as it comes; then readers make the report's lines.
    """

    policy: Policy
    now: int
    fingerprint_key: bytes | None = None
    plans: bool = False
    listing: Listing | None = None
    label: str | None = None
    streams: bool = False


class JudgedRow(NamedTuple):
    """A row worth a line in the report, its verdict, and what became of it if it was in a plan."""

    row: Row
    verdict: Verdict
    outcome: DeletionOutcome | None = None


class DeletableRow(NamedTuple):
    """A row that may be deleted: its bytes as the server sent them, its fingerprint, and its verdict."""

    item: bytes
    fingerprint: str
    found: JudgedRow


class Batch(NamedTuple):
    """The result for some rows.

    Attributes:
        tally: sums over all of them.
        found: the rows to list, without those that may be deleted.
        deletable: the rows that may be deleted, without those that are protected or left out; among them those that may
            be deleted only if they keep their owner from a new token (the reason `unlocks-owner`), whether the run
            plans or not.
        matching_patterns: those of the given `--protect-user` patterns that match the owner of one of the rows.
        lines: the report's line for each of `found`, in the same order; empty if the reader makes none.
    """

    tally: Tally
    found: Sequence[JudgedRow]
    deletable: Sequence[DeletableRow] = ()
    matching_patterns: Sequence[str] = ()
    lines: Sequence[Finding] = ()


class Reader(Protocol):
    """Reads all rows of a table or its source, each once."""

    def batches(self, rules: Rules, patterns: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """Yield the results, in any order. Ends early, without an error, if the run is asked to stop.

        Args:
            rules: the rules by which rows are judged.
            patterns: returns the `--protect-user` patterns that have matched nobody so far; called again and again.

        Raises:
            JanitorError: not all rows could be read. The batches until then are valid.
        """
