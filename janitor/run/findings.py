"""Where findings go: at once to the reports that stream, and the most urgent, at the end, to the others."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from janitor.report.build import finding, urgency
from janitor.report.model import Finding
from janitor.report.urgent import Shortlist
from janitor.run.outlets import Outlets
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row


class Told(NamedTuple):
    """A row worth a line, what it is, and what became of it if it was in a plan."""

    row: Row
    verdict: Classification
    outcome: DeletionOutcome | None = None


class _Kept(msgspec.Struct, array_like=True, gc=False):
    """What is kept of a row. The expiry is a text, for it may be too large a number for msgspec."""

    row: Row
    state: State
    accepted_by: tuple[Gate, ...]
    expiry: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(_Kept).decode


def _encoded(told: Told) -> bytes:
    row, verdict, outcome = told
    expiry = None if verdict.expiry is None else str(verdict.expiry)
    return _ENCODE(_Kept(row, verdict.state, verdict.accepted_by, expiry, verdict.reasons, outcome))


def _decoded(content: bytes) -> Told:
    kept = _DECODE(content)
    expiry = None if kept.expiry is None else int(kept.expiry)
    return Told(kept.row, Classification(kept.state, kept.accepted_by, expiry, kept.reasons), kept.outcome)


def shortlist_of_rows(limit: int) -> Shortlist[Told]:
    """A shortlist of at most `limit` rows."""
    return Shortlist(limit, _encoded, _decoded)


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
        see: Callable[[Sequence[Told]], None] | None = None,
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

    def tell(self, rows: Sequence[Told]) -> None:
        """Take these rows, active ones only of a run that was asked for them."""
        for told in rows:
            self._listed.offer(told.verdict.state, urgency(told.verdict, self._now), told.row.key.S or "", told)
        if self._see is not None and rows:
            self._see(rows)
        if self._outlets.streams and rows:
            self._outlets.lines(self._built(rows))

    def most_urgent(self) -> list[Finding]:
        """The findings that a report which does not stream lists, in their order."""
        return self._built(self._listed.sorted())

    def _built(self, rows: Iterable[Told]) -> list[Finding]:
        return [
            finding(row, verdict, now=self._now, policy=self._policy, secret=self._secret, outcome=outcome)
            for row, verdict, outcome in rows
        ]
