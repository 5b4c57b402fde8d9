"""The end of a run for those who are notified: messages to the owners of each table, and one digest of all.

The steps for one table, and what is remembered of them, are in `announcer`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from operator import attrgetter

from janitor.background import wait_for_answer
from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.notices.announcer import Announcer, build_broken_warning
from janitor.notices.announcer_group import AnnouncerGroup
from janitor.notices.audience import MessageKind
from janitor.notices.channel import WHERE, Channel, PublishingTopic
from janitor.notices.digest_content import DigestContent, build_digest_content
from janitor.notices.digest_parts import count_parts, split_digest
from janitor.notices.dry_announcement import describe_recipients
from janitor.notices.notice import Notice
from janitor.notices.problem_comparison import ProblemComparison
from janitor.notices.service_digest import build_service_digest
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.error_remarks import NOT_ANNOUNCED, catch_as_remarks
from janitor.report.model import DestinationPart, Outcome, Remark, Report, TableReport
from janitor.sinks.sns import Message
from janitor.stopping import NOTICE_SECONDS, Stop

log = get_logger("janitor.notices")

_by_table = attrgetter("table")
# How many notices of a digest are marked at once.
_PORTION = 1_000


def announce_to_all(
    groups: Mapping[str, AnnouncerGroup], whole: Report, *, channels: Sequence[Channel], stop: Stop
) -> AnnouncementResult:
    """Announce a run to each destination in turn; one that fails does not keep it from the others.

    Args:
        groups: by label, the announcers of each table, one for each channel.
        whole: the run's report, without what is announced.
        channels: the destinations.
        stop: says whether the run was asked to stop.
    """
    result = AnnouncementResult()
    for number, channel in enumerate(channels):
        announcers = {label: group.announcers[number] for label, group in groups.items()}
        one = AnnouncementResult()
        with catch_as_remarks(WHERE, NOT_ANNOUNCED, one.errors):
            one = announce(announcers, whole, channel=channel, stop=stop)
        if one.errors:
            for announcer in announcers.values():
                announcer.delivery.has_lost_digest = True
        result.digests += one.digests
        result.destinations += one.destinations
        result.errors += one.errors
        result.warnings += [warning for warning in one.warnings if warning not in result.warnings]
    return result


def announce(announcers: Mapping[str, Announcer], whole: Report, *, channel: Channel, stop: Stop) -> AnnouncementResult:
    """Notify the owners of each table, and publish the digest of all tables, at one destination.

    Args:
        announcers: by label, those of the tables whose notices are remembered.
        whole: the run's report, without what is announced.
        channel: who is notified, and when.
        stop: says whether the run was asked to stop.
    """
    result = AnnouncementResult()
    ready = {label: announcer for label, announcer in announcers.items() if announcer.can_announce}
    was_read = any(announcer.has_ended for announcer in announcers.values())
    # If no store works, nobody knows what was sent before. If no table was read, the digest says only that.
    if (was_read and not ready) or whole.run.outcome is Outcome.SKIPPED:
        return result
    if channel.topic is None:
        result.destinations += _describe_dry_run(ready, whole, channel)
        return result
    comparison = ProblemComparison(channel, whole)
    has_owner_messages = channel.per_token and any(
        len(announcer.due(MessageKind.OWNER)) for announcer in ready.values()
    )
    if has_owner_messages or comparison.wants_digest(_build_content(whole, ready, channel, comparison)):
        for announcer in ready.values():
            announcer.take_lease()
        ready = _keep_ready(ready)
        if ready or not was_read:
            # Another run may have published the same problem meanwhile.
            comparison = ProblemComparison(channel, whole)
            _publish_all(result, ready, whole, channel=channel, comparison=comparison, stop=stop)
    errors = [*result.errors, *(error for announcer in ready.values() for error in announcer.delivery.errors)]
    result.destinations += _describe_delivery(announcers.values(), channel, result)
    comparison.remember(was_published=result.digests > 0 and not errors)
    if channel.problems is not None:
        result.warnings += build_broken_warning(channel.problems.location, channel.problems.broken)
    log.info("notices.published", digests=result.digests, tables=len(ready))
    return result


def _publish_all(
    result: AnnouncementResult,
    ready: Mapping[str, Announcer],
    whole: Report,
    *,
    channel: Channel,
    comparison: ProblemComparison,
    stop: Stop,
) -> None:
    """Notify owners first, then publish the digest, unless the topic cannot be reached."""
    topic = channel.topic
    assert topic is not None  # noqa: S101  # asked by the caller
    wants_digest = comparison.wants_digest(_build_content(whole, ready, channel, comparison))
    for announcer in ready.values():
        announcer.delivery.was_tried = channel.per_token or wants_digest
    is_reachable = not channel.per_token or all(
        _notify_owners(ready[table.label], table, topic) for table in whole.tables if table.label in ready
    )
    if wants_digest and is_reachable:
        # A table whose store failed meanwhile, or whose lease was lost, is left out; if all are, no digest goes out.
        had_some, ready = bool(ready), _keep_ready(ready)
        if had_some and not ready:
            return
        content = _build_content(whole, ready, channel, comparison)
        _publish_digest(topic, _split(content, channel), ready, stop, result)


def _notify_owners(announcer: Announcer, table: TableReport, topic: PublishingTopic) -> bool:
    """Notify a table's owners; return False if the topic cannot be reached, so that no other table need be tried.

    A store that fails, or a lease that is lost, concerns only this table.
    """
    is_reachable = True
    with announcer.catch_store_errors():
        is_reachable = announcer.notify_owners(topic, table)
    return is_reachable or not (announcer.can_announce and announcer.holds_lease)


def _publish_digest(
    topic: PublishingTopic,
    parts: Iterable[tuple[Message, Iterable[Notice]]],
    ready: Mapping[str, Announcer],
    stop: Stop,
    result: AnnouncementResult,
) -> None:
    try:
        for message, notices in parts:
            _publish_message(topic, message, stop)
            result.digests += 1
            for label, of_table in groupby(notices, key=_by_table):
                announcer = ready[label] if label is not None else next(iter(ready.values()))
                while portion := list(islice(of_table, _PORTION)):
                    announcer.mark(MessageKind.DIGEST, portion)
                    announcer.delivery.digest_notices += len(portion)
            if any(not announcer.can_announce or announcer.report_lost_lease() for announcer in ready.values()):
                return
    except SinkError as error:
        for announcer in ready.values():
            announcer.delivery.has_lost_digest = True
        result.errors.append(_lost_digest_error(error))


def _split(content: DigestContent, channel: Channel) -> Iterator[tuple[Message, Iterable[Notice]]]:
    """Make the messages of a digest, each with the notices that are announced with it."""
    destination = channel.destination
    if destination is not None and destination.max_length is not None:
        message = build_service_digest(content, destination.max_length, is_mail=destination.is_mail)
        yield message, content.notices
        return
    for part in split_digest(content):
        yield part.message, part.notices


def _count_messages(content: DigestContent, channel: Channel) -> int:
    """Count the messages of a digest."""
    destination = channel.destination
    return 1 if destination is not None and destination.is_service else count_parts(content)


def _publish_message(topic: PublishingTopic, message: Message, stop: Stop) -> None:
    """Publish a message. Raises SinkError, also if no answer comes before the run has to end."""

    def publish() -> bool:
        topic.publish(message)
        return True

    if not wait_for_answer(publish, lambda: stop.has_passed(NOTICE_SECONDS)):
        raise SinkError("it was not taken before the run had to end", "run it again", "no-answer")


def _lost_digest_error(error: JanitorError) -> Remark:
    """Build the error that a digest, or what was left of it, was not published."""
    log.error("digest.not_published", code=error.code, error=str(error))
    message = f"the digest was not published: {error}; its notices will be tried again next time"
    return Remark(where=WHERE, code=error.code, message=message)


def _keep_ready(announcers: Mapping[str, Announcer]) -> dict[str, Announcer]:
    """Keep those whose store works and who hold their lease: without it, another run sends the same."""
    return {
        label: announcer
        for label, announcer in announcers.items()
        if announcer.can_announce and not announcer.report_lost_lease()
    }


def _describe_dry_run(ready: Mapping[str, Announcer], whole: Report, channel: Channel) -> list[DestinationPart]:
    """Say who would be notified by a real run."""
    if not ready:
        return []
    part = describe_recipients(
        channel,
        _build_content(whole, ready, channel, ProblemComparison(channel, whole)),
        _DueInAllTables(ready, MessageKind.OWNER, names_tables=whole.is_of_several),
        lambda content: _count_messages(content, channel),
    )
    return [part] if part is not None else []


def _describe_delivery(
    announcers: Iterable[Announcer], channel: Channel, result: AnnouncementResult
) -> list[DestinationPart]:
    """Say what was published at this destination; an owner of tokens in several tables counts in each."""
    if channel.destination is None:
        return []
    part = DestinationPart(label=channel.destination.label, digests=result.digests, are_owners_told=channel.per_token)
    for announcer in announcers:
        part = announcer.describe_delivery(part)
    return [part]


def _build_content(
    whole: Report, ready: Mapping[str, Announcer], channel: Channel, comparison: ProblemComparison
) -> DigestContent:
    """Build what the digest says, without changes that another run has published."""
    due = _DueInAllTables(ready, MessageKind.DIGEST, names_tables=whole.is_of_several)
    content = build_digest_content(whole, due, channel.full_report_location)
    content = replace(content, has_chat_text=channel.has_chat_text)
    tables_without_changes = {label for label, announcer in ready.items() if announcer.are_changes_left_to_other_run}
    if tables_without_changes and not whole.is_of_several:
        content = replace(content, changes=None)
    tables = tuple(
        replace(each, changes=None) if each.table in tables_without_changes else each for each in content.tables
    )
    long_expired = sum(announcer.long_expired for announcer in ready.values())
    return comparison.apply_to(replace(content, tables=tables, long_expired=long_expired))


class _DueInAllTables(Collection[Notice]):
    """The due notices of all tables, one table after the other. They stay on disk.

    In a run of several tables each notice says which table it belongs to.
    """

    def __init__(self, announcers: Mapping[str, Announcer], kind: MessageKind, *, names_tables: bool) -> None:
        self._announcers, self._kind, self._names_tables = announcers, kind, names_tables

    def __len__(self) -> int:
        return sum(len(announcer.due(self._kind)) for announcer in self._announcers.values())

    def __iter__(self) -> Iterator[Notice]:
        for label, announcer in self._announcers.items():
            with announcer.catch_store_errors():
                for notice in announcer.due(self._kind):
                    yield replace(notice, table=label) if self._names_tables else notice

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)
