"""Where findings go: at once to the reports that stream, and the most urgent, at the end, to the others."""

from collections.abc import Callable, Iterable, Sequence

from janitor.readers.interface import FoundRow
from janitor.readers.packed import from_json, to_json
from janitor.report.build import finding, urgency
from janitor.report.model import Finding
from janitor.report.urgent import Shortlist
from janitor.run.outlets import Outlets
from janitor.tokens.policy import Policy


def shortlist_of_rows(limit: int) -> Shortlist[FoundRow]:
    """A shortlist of at most `limit` rows."""
    return Shortlist(limit, to_json, from_json)


class Findings:
    """Takes every finding of a run, once; memory does not grow with them beyond what the reports list."""

    def __init__(
        self,
        outlets: Outlets,
        *,
        most: int,
        now: int,
        policy: Policy,
        secret: bytes | None,
        see: Callable[[Sequence[FoundRow]], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            outlets: the reports.
            most: how many findings a report that does not stream lists.
            now: the UNIX second at which rows are judged.
            policy: the rules.
            secret: the key of fingerprints, None for plain ones.
            see: told of every finding too, for what is to be announced.
        """
        self._outlets = outlets
        self._see = see
        # One is kept in any case: the metrics say when the next token expires.
        self._listed = shortlist_of_rows(most if outlets.keep else min(most, 1))
        self._now, self._policy, self._secret = now, policy, secret

    def tell(self, rows: Sequence[FoundRow], lines: Sequence[Finding] = ()) -> None:
        """Take these rows, active ones only of a run that was asked for them.

        Args:
            rows: the rows.
            lines: the report's lines about them, in the same order, where they have been made; else none.
        """
        for told in rows:
            self._listed.offer(told.verdict.state, urgency(told.verdict, self._now), told.row.key.S or "", told)
        if self._see is not None and rows:
            self._see(rows)
        if self._outlets.streams and rows:
            self._outlets.lines([*lines] or self._built(rows))

    def most_urgent(self) -> list[Finding]:
        """The findings that a report which does not stream lists, in their order."""
        return self._built(self._listed.sorted())

    def _built(self, rows: Iterable[FoundRow]) -> list[Finding]:
        return [
            finding(row, verdict, now=self._now, policy=self._policy, secret=self._secret, outcome=outcome)
            for row, verdict, outcome in rows
        ]
