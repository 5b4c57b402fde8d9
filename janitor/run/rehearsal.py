"""The end of a dry run for those who would hear of a real one: it says who, and tells and remembers nothing."""

from collections.abc import Collection

from janitor.ledger.interface import LastRun, Ledger
from janitor.notify.content import is_news
from janitor.notify.notice import Event, Notice
from janitor.report.model import Remark, Report
from janitor.run.channel import WHERE, Channel
from janitor.run.digest_content import digest_content
from janitor.tokens.words import counted, list_some

# How many owners are named.
_MOST_NAMED = 10
# Where the remarks of guards come from.
_GUARD = "guard"


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


def who_would_be_told(
    channel: Channel, report: Report, in_digest: Collection[Notice], for_owners: Collection[Notice]
) -> list[Remark]:
    """Who hears of a real run, where anybody does.

    Args:
        channel: who is told.
        report: of the dry run.
        in_digest: the notices of the digest.
        for_owners: those that owners would get.
    """
    arn = channel.arn
    if arn is None:
        return []
    content = digest_content(report, in_digest, channel.pointer)
    said = []
    # What a real run deletes is news too.
    is_worth_telling = is_news(content) or report.deletion.planned > 0
    if channel.digest == "always" or (channel.digest == "news" and is_worth_telling):
        said.append(f"a digest, with {counted(len(in_digest), 'notice')}")
    if channel.per_token and len(for_owners):
        said.append(_owners(for_owners))
    what = f"{arn} would get {' and '.join(said)}" if said else f"{arn} would get nothing"
    message = f"a dry run tells nobody and remembers nothing: {what}"
    return [Remark(where=WHERE, code="dry-run", message=message)]


def _owners(notices: Collection[Notice]) -> str:
    """How many messages there are, to whom, most urgent first, and how many of them tell of a deletion."""
    owners: dict[str, None] = {}
    deletions = 0
    for notice in notices:
        owners.setdefault(notice.owner or "nobody known")
        deletions += notice.event is Event.DELETED
    of_deletions = f" ({counted(deletions, 'deletion')} among them)" if deletions else ""
    return f"{counted(len(notices), 'message')}{of_deletions} to {list_some(list(owners), _MOST_NAMED)}"
