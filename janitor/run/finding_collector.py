"""Passes findings on: at once to the reports that stream, and the most urgent at the end to the others."""

from collections.abc import Callable, Sequence

from janitor.readers.interface import JudgedRow, Rules
from janitor.readers.judging import build_findings
from janitor.readers.packed_row import from_json, to_json
from janitor.report.build import verdict_urgency
from janitor.report.model import Finding
from janitor.report.shortlist import Shortlist
from janitor.run.last_seen import LastSeenLookup
from janitor.run.outlets import Outlets


def make_shortlist(limit: int) -> Shortlist[JudgedRow]:
    """Make a shortlist of at most `limit` rows."""
    return Shortlist(limit, to_json, from_json)


# Kept where no report lists any: metrics say when the next token expires, and warnings name rows.
_KEPT_UNLISTED = 100


class FindingCollector:
    """Takes every finding of a table once. Keeps no more of them than the reports list."""

    def __init__(
        self,
        outlets: Outlets,
        rules: Rules,
        *,
        max_listed: int,
        on_found: Callable[[Sequence[JudgedRow]], None] | None = None,
        last_seen: LastSeenLookup | None = None,
    ) -> None:
        """Prepare.

        Args:
            outlets: the reports.
            rules: the rules by which rows are judged.
            max_listed: how many findings a report that does not stream lists.
            on_found: called with all findings too, for what is to be announced.
            last_seen: looks up when their owners were last seen; None if nobody asks.
        """
        self._last_seen = last_seen
        self._outlets, self._rules, self._on_found = outlets, rules, on_found
        self._shortlist = make_shortlist(max_listed if outlets.lists_findings else min(max_listed, _KEPT_UNLISTED))

    def add(self, rows: Sequence[JudgedRow], lines: Sequence[Finding] = ()) -> None:
        """Take findings.

        Args:
            rows: the rows; active ones only with reasons, or in a run that was asked for them.
            lines: the report's lines about them, in the same order, where the reader has built them; else empty.
        """
        if self._last_seen is not None:
            self._last_seen.look_up(rows)
        for found in rows:
            rank = verdict_urgency(found.verdict, self._rules.now)
            self._shortlist.offer(found.verdict.state, rank, found.row.key.S or "", found)
        if self._on_found is not None and rows:
            self._on_found(rows)
        if self._outlets.streams and rows:
            self._outlets.write_lines(self._complete(rows, lines))

    def build_lines(self, rows: Sequence[JudgedRow]) -> list[Finding]:
        """Build the report's lines about rows, without taking them."""
        return self._complete(rows)

    def finish(self) -> list[Finding]:
        """Return the findings for the reports that do not stream, most urgent first."""
        return self._complete(self._shortlist.sorted())

    def _complete(self, rows: Sequence[JudgedRow], lines: Sequence[Finding] = ()) -> list[Finding]:
        """The lines about these rows, built if the reader has not, with what the reader does not know."""
        findings = [*lines] or build_findings(rows, self._rules)
        if self._last_seen is not None:
            self._last_seen.fill_in(rows, findings)
        return findings
