"""The end of a dry run: says who would be notified by a real one; sends nothing, and remembers nothing."""

from collections.abc import Collection

from msgspec import structs

from janitor.notices.announcer import Announcer, build_changes_warning, build_store_error
from janitor.notices.channel import WHERE, Channel
from janitor.notices.digest_content import build_digest_content, is_news
from janitor.notices.notice import Event, Notice
from janitor.report.model import NoticesPart, Remark, Report, TableReport
from janitor.tokens.words import format_count, list_some

# How many owners are named.
_MAX_NAMED = 10


class DryAnnouncer(Announcer):
    """The announcer of a dry run: its channel has no topic, and its memory a `ReadOnlyStore`."""

    def end(self, report: TableReport, *, is_complete: bool, would_be_refused: bool = False) -> TableReport:
        """Add what changed since the last run; from then on what is due is what a real run would send."""
        self._memory.assume_deletions(is_refused=would_be_refused)
        return super().end(report, is_complete=is_complete)

    def remember(self, report: TableReport) -> TableReport:
        """Add to the table's report what would be announced; nothing is remembered."""
        errors = [*report.errors, *self._bugs]
        warnings = [*report.warnings, *build_changes_warning(self._memory.warning), *self._broken_warnings()]
        if self._channel.refusal is not None:
            warnings.append(self._channel.refusal)
        if self._memory.error is not None:
            errors.append(build_store_error(self._memory.error, was_sent=False))
        part = NoticesPart(due=len(self._memory.due), state=self._memory.location)
        return structs.replace(report, errors=errors, warnings=warnings, notices=part)


def describe_audience(
    channel: Channel, report: Report, digest_notices: Collection[Notice], owner_notices: Collection[Notice]
) -> list[Remark]:
    """Say who would be notified by a real run; empty if there is no topic and no service.

    Args:
        channel: who is notified.
        report: the dry run's.
        digest_notices: those that the digest would have.
        owner_notices: those that owners would get.
    """
    if channel.destination is None:
        return []
    label, addresses = channel.destination.label, channel.addresses
    if channel.mails_owners and addresses is not None:
        owner_notices = [notice for notice in owner_notices if addresses.find(notice.username) is not None]
    content = build_digest_content(report, digest_notices, channel.full_report_location)
    messages = []
    # What a real run deletes is news too.
    is_worth_telling = is_news(content) or report.deletion.planned > 0
    if channel.digest == "always" or (channel.digest == "news" and is_worth_telling):
        messages.append(f"a digest, with {format_count(len(digest_notices), 'notice')}")
    if channel.per_token and owner_notices:
        messages.append(_describe_owner_messages(owner_notices))
    what = f"{label} would get {' and '.join(messages)}" if messages else f"{label} would get nothing"
    message = f"a dry run sends nothing and remembers nothing: {what}"
    return [Remark(where=WHERE, code="dry-run", message=message)]


def _describe_owner_messages(notices: Collection[Notice]) -> str:
    """Say how many messages there are, to whom, most urgent first, and how many of them tell of a deletion."""
    owners: dict[str, None] = {}
    deletions = 0
    for notice in notices:
        owners.setdefault(notice.owner or "nobody known")
        deletions += notice.event is Event.DELETED
    of_deletions = f" ({format_count(deletions, 'deletion')} among them)" if deletions else ""
    return f"{format_count(len(notices), 'message')}{of_deletions} to {list_some(list(owners), _MAX_NAMED)}"
