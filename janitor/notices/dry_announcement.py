"""The end of a dry run: says who would be notified by a real one; sends nothing, and remembers nothing."""

from collections.abc import Callable, Iterable

from msgspec import structs

from janitor.notices.announcer import Announcer, build_changes_warning, build_store_error
from janitor.notices.channel import Channel
from janitor.notices.digest_content import DigestContent, is_news
from janitor.notices.notice import Notice
from janitor.notices.owners_without_address import OwnerCount, OwnersWithoutAddress
from janitor.report.model import DestinationPart, NoticesPart, TableReport


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
        part = NoticesPart(
            due=len(self._memory.due), long_expired=self._memory.long_expired, state=self._memory.location
        )
        return structs.replace(report, errors=errors, warnings=warnings, notices=part)


def describe_recipients(
    channel: Channel,
    content: DigestContent,
    owner_notices: Iterable[Notice],
    count_messages: Callable[[DigestContent], int],
) -> DestinationPart | None:
    """Say what a real run would send to the channel's destination; None if it has none.

    Args:
        channel: who is notified.
        content: what the digest would say.
        owner_notices: those that owners would get.
        count_messages: counts the messages that a digest takes.
    """
    if channel.destination is None:
        return None
    # What a real run deletes is news too.
    is_worth_telling = is_news(content) or content.deletion.planned > 0
    has_digest = channel.digest == "always" or (channel.digest == "news" and is_worth_telling)
    owner_count, without_address = OwnerCount(), OwnersWithoutAddress(channel.addresses)
    for notice in owner_notices if channel.per_token else ():
        if not channel.mails_owners or without_address.find_address(notice) is not None:
            owner_count.add(notice)
    part = DestinationPart(
        label=channel.destination.label,
        digests=count_messages(content) if has_digest else 0,
        digest_notices=len(content.notices) if has_digest else 0,
        are_owners_told=channel.per_token,
    )
    return without_address.fill_in(owner_count.fill_in(part))
