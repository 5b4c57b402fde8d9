"""What a run sees of its findings, as far as notices and the next run want to know."""

from typing import NamedTuple

from janitor.notices.notice import Event, Notice
from janitor.readers.interface import FoundRow
from janitor.report.build import MAX_JSON_INTEGER
from janitor.store.chunks import RememberedToken
from janitor.tokens.crossing import EXPIRY, Crossing
from janitor.tokens.expiration import moment
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import is_true
from janitor.tokens.times import iso


class SeenToken(NamedTuple):
    """A finding. Nothing of the row's key but its fingerprint.

    Attributes:
        fingerprint: the token's.
        state: its state, in the report's word.
        expiry: in UNIX seconds, None where it has none.
        username, name: as they may be shown (`janitor.tokens.redact`).
        system: whether it is a system token.
        outcome: what became of it, None for a row that was in no plan.
    """

    fingerprint: str
    state: str
    expiry: int | None
    username: str | None
    name: str | None
    system: bool
    outcome: DeletionOutcome | None

    @property
    def seen(self) -> RememberedToken:
        """What the next run wants to know of it."""
        return RememberedToken(self.fingerprint, self.state, self.expiry, self.username, self.name)

    def notice(self, threshold: int, event: Event, now: int) -> Notice:
        """What its owner is to hear at the UNIX second `now`; of a finding that has an expiry."""
        expiry = self.expiry or 0
        when = moment(expiry)
        return Notice(
            crossing=Crossing(self.fingerprint, expiry, threshold),
            event=event,
            username=self.username,
            name=self.name,
            system=self.system,
            state=self.state,
            expires_at=None if when is None else iso(when),
            seconds_to_expiry=expiry - now,
        )

    def deletion(self, now: int) -> Notice:
        """That it was deleted."""
        return self.notice(EXPIRY, Event.DELETED, now)


def seen_token_of(told: FoundRow, fingerprint: str) -> SeenToken:
    """What is seen of a finding."""
    texts = redacted_texts(told.row)
    expiry = told.verdict.expiry
    return SeenToken(
        fingerprint,
        told.verdict.state,
        None if expiry is None else bounded(expiry),
        texts.username,
        texts.name,
        is_true(told.row.is_system),
        told.outcome,
    )


def bounded(expiry: int) -> int:
    """An expiry that every store and every reader of JSON can hold."""
    return max(-MAX_JSON_INTEGER, expiry)
