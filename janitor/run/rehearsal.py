"""The end of a dry run for those who would hear of a real one: it says who, and tells and remembers nothing."""

from msgspec import structs

from janitor.ledger.interface import LastRun, Ledger
from janitor.notify.content import is_news
from janitor.report.model import NoticesPart, Remark, Report
from janitor.run.announce import Announcer, Sent, changes_warning, state_remark
from janitor.run.channel import WHERE
from janitor.run.digest_content import digest_content

# How many owners are named.
_MOST_NAMED = 10


class ReadOnlyLedger:
    """As `Ledger`, of a run that leaves nothing behind: what it would write goes nowhere."""

    def __init__(self, ledger: Ledger) -> None:
        """Args: what earlier runs left; it is not open yet."""
        self.location = ledger.location
        self.broken = ledger.broken
        self._ledger = ledger
        # What only reads is the store's own.
        self.marked = ledger.marked
        self.snapshot = ledger.snapshot
        self.last_run = ledger.last_run
        self.record = ledger.record
        self.close = ledger.close

    def open(self, scope: str, now: int) -> None:
        """As `Ledger.open_to_read`."""
        self._ledger.open_to_read(scope, now)

    def open_to_read(self, scope: str, now: int) -> None:
        """As `Ledger.open_to_read`."""
        self._ledger.open_to_read(scope, now)

    def mark(self, moments: object, at: int) -> None:
        """Nothing."""

    def prove(self, names: object) -> None:
        """Nothing."""

    def replace_snapshot(self, profile: str, chunks: object, run: LastRun) -> None:
        """Nothing."""

    def keep(self, name: str, content: bytes, at: int) -> None:
        """Nothing."""

    def forget(self, now: int) -> None:
        """Nothing."""


class Rehearsal(Announcer):
    """As `Announcer`, of a dry run. Its channel has no topic, and its watch a `ReadOnlyLedger`."""

    def announced(self, report: Report, *, is_complete: bool) -> Report:
        """Say what would be announced."""
        return self.told(report, Sent(), is_complete=is_complete)

    def told(self, report: Report, sent: Sent, *, is_complete: bool) -> Report:  # noqa: ARG002  # nothing is remembered
        """The report, with who would be told; the last step of `finish`."""
        errors, warnings = (
            list(report.errors),
            [*report.warnings, *changes_warning(self._watch.warning), *self._broken()],
        )
        if self._channel.refusal is not None:
            warnings.append(self._channel.refusal)
        elif self._watch.error is None:
            with self._watch.failing():
                warnings += self._would_be_told(report)
        if self._watch.error is not None:
            errors.append(state_remark(self._watch.error, was_sent=False))
        part = NoticesPart(due=len(self._watch.due), sent=0, failed=0, digests=0, state=self._watch.location)
        return structs.replace(report, errors=errors, warnings=warnings, notices=part)

    def _would_be_told(self, report: Report) -> list[Remark]:
        """Who hears of a real run, where anybody does."""
        arn = self._channel.arn
        if arn is None:
            return []
        content = digest_content(report, self.in_digest, self._channel.pointer)
        said = []
        # What a real run deletes is news too.
        is_worth_telling = is_news(content) or report.deletion.planned > 0
        if self._channel.digest == "always" or (self._channel.digest == "news" and is_worth_telling):
            said.append(f"a digest, with {_counted(len(self.in_digest), 'notice')}")
        if self._channel.per_token and len(self.for_owners):
            said.append(f"{_counted(len(self.for_owners), 'message')} to {self._owners()}")
        what = f"{arn} would get {' and '.join(said)}" if said else f"{arn} would get nothing"
        message = f"a dry run tells nobody and remembers nothing: {what}"
        return [Remark(where=WHERE, code="dry-run", message=message)]

    def _owners(self) -> str:
        """The owners of what is due, most urgent first, and how many more there are."""
        owners = dict.fromkeys(notice.owner or "nobody known" for notice in self.for_owners)
        named = ", ".join([*owners][:_MOST_NAMED])
        return f"{named} and {len(owners) - _MOST_NAMED:,} more" if len(owners) > _MOST_NAMED else named


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
