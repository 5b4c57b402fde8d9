"""A finding as notices and the next run need it."""

from typing import NamedTuple

from janitor.notices.notice import Event, Notice
from janitor.readers.interface import JudgedRow
from janitor.report.build import MAX_JSON_INTEGER
from janitor.store.chunks import RememberedToken
from janitor.tokens.classify import find_creation
from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.expiration import calendar_time
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import is_truthy
from janitor.tokens.times import format_iso


class SeenToken(NamedTuple):
    """A finding. Of the row's key it holds nothing but the fingerprint.

    Attributes:
        fingerprint: the token's.
        state: its state, in the report's word.
        expiry: in UNIX seconds, None if it has none.
        username, name: as they may be shown (`janitor.tokens.redact`).
        system: whether it is a system token.
        outcome: what became of it, None for a row that was in no plan.
        created: the UNIX second at which LISA made it; None if the row does not tell.
    """

    fingerprint: str
    state: str
    expiry: int | None
    username: str | None
    name: str | None
    system: bool
    outcome: DeletionOutcome | None
    created: int | None = None

    @property
    def remembered(self) -> RememberedToken:
        """The token as the next run remembers it."""
        return RememberedToken(self.fingerprint, self.state, self.expiry, self.username, self.name)

    def make_notice(self, threshold: int, event: Event, now: int) -> Notice:
        """Make the notice that is due at the UNIX second `now`. Only for a finding that has an expiry."""
        expiry = self.expiry or 0
        when = calendar_time(expiry)
        return Notice(
            crossing=Crossing(self.fingerprint, expiry, threshold),
            event=event,
            username=self.username,
            name=self.name,
            system=self.system,
            state=self.state,
            expires_at=None if when is None else format_iso(when),
            seconds_to_expiry=expiry - now,
            created=self.created,
        )

    def make_deletion_notice(self, now: int) -> Notice:
        """Make the notice that it was deleted."""
        return self.make_notice(EXPIRY_THRESHOLD, Event.DELETED, now)


def make_seen_token(found: JudgedRow, fingerprint: str) -> SeenToken:
    """Make a token of a finding."""
    texts = redacted_texts(found.row)
    expiry = found.verdict.expiry
    return SeenToken(
        fingerprint,
        found.verdict.state,
        None if expiry is None else clamp_expiry(expiry),
        texts.username,
        texts.name,
        is_truthy(found.row.is_system),
        found.outcome,
        find_creation(found.row),
    )


def clamp_expiry(expiry: int) -> int:
    """Raise an expiry to what every store and every reader of JSON can hold."""
    return max(-MAX_JSON_INTEGER, expiry)
