"""Where findings go: at once to the reports that stream, and the most urgent, at the end, to the others."""

from collections.abc import Callable, Sequence

from janitor.readers.interface import FoundRow, Rules
from janitor.readers.judging import lines_of
from janitor.readers.packed import from_json, to_json
from janitor.report.build import finding_urgency
from janitor.report.model import Finding
from janitor.report.urgent import Shortlist
from janitor.run.outlets import Outlets


def shortlist_of_rows(limit: int) -> Shortlist[FoundRow]:
    """A shortlist of at most `limit` rows."""
    return Shortlist(limit, to_json, from_json)


class Findings:
    """Takes every finding of a table, once; memory does not grow with them beyond what the reports list."""

    def __init__(
        self,
        outlets: Outlets,
        rules: Rules,
        *,
        most: int,
        see: Callable[[Sequence[FoundRow]], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            outlets: the reports.
            rules: by what rows are judged.
            most: how many findings a report that does not stream lists.
            see: told of every finding too, for what is to be announced.
        """
        self._outlets, self._rules, self._see = outlets, rules, see
        # One is kept in any case: the metrics say when the next token expires.
        self._listed = shortlist_of_rows(most if outlets.keep else min(most, 1))

    def tell(self, rows: Sequence[FoundRow], lines: Sequence[Finding] = ()) -> None:
        """Take these rows, active ones only of a run that was asked for them.

        Args:
            rows: the rows.
            lines: the report's lines about them, in the same order, where whoever read has made them; else none.
        """
        for found in rows:
            rank = finding_urgency(found.verdict, self._rules.now)
            self._listed.offer(found.verdict.state, rank, found.row.key.S or "", found)
        if self._see is not None and rows:
            self._see(rows)
        if self._outlets.streams and rows:
            self._outlets.lines([*lines] or lines_of(rows, self._rules))

    def most_urgent(self) -> list[Finding]:
        """The findings that a report which does not stream lists, in their order."""
        return lines_of(self._listed.sorted(), self._rules)
