"""The end of a run for those who are to hear of it: messages to the owners of each table, and one digest of all.

The steps for one table, and what is remembered of them, are in `announcer`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from janitor.errors import SinkError
from janitor.logs import get_logger
from janitor.notices.announcer import Announcer, broken_warning
from janitor.notices.audience import MessageKind
from janitor.notices.channel import Channel, TopicLike, TroubleComparison, digest_remark, publish_part
from janitor.notices.digest_content import DigestContent, build_digest_content
from janitor.notices.digest_parts import split_digest
from janitor.notices.dry_announcement import describe_audience
from janitor.notices.notice import Notice
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.model import Outcome, Remark, Report, TableReport
from janitor.stopping import Stop

log = get_logger("janitor.notices")

_by_table = attrgetter("table")


def announce(announcers: Mapping[str, Announcer], whole: Report, *, channel: Channel, stop: Stop) -> AnnouncementResult:
    """Tell the owners of each table, and publish the digest of all tables.

    Args:
        announcers: by label, those of the tables of which something is remembered.
        whole: the run's report, without what is announced.
        channel: who is notified, and when.
        stop: who may ask for an early end.
    """
    result = AnnouncementResult()
    ready = {label: announcer for label, announcer in announcers.items() if announcer.can_announce}
    was_read = any(announcer.has_ended for announcer in announcers.values())
    # Where no store works nobody can tell what was sent before; where no table was read, that is all there is to tell.
    if (was_read and not ready) or whole.run.outcome is Outcome.SKIPPED:
        return result
    if channel.topic is None:
        result.warnings += _describe_dry_run(ready, whole, channel)
        return result
    comparison = TroubleComparison(channel, whole)
    tells_owners = channel.per_token and any(len(announcer.owner_notices) for announcer in ready.values())
    if tells_owners or comparison.wants_digest(_build_content(whole, ready, channel, comparison)):
        for announcer in ready.values():
            announcer.take_lease()
        ready = _keep_ready(ready)
        if ready or not was_read:
            # Another run may have told of the same trouble meanwhile.
            comparison = TroubleComparison(channel, whole)
            _tell(result, ready, whole, channel=channel, comparison=comparison, stop=stop)
    errors = [*result.errors, *(error for announcer in ready.values() for error in announcer.delivery.errors)]
    comparison.remember(was_told=result.digests > 0 and not errors)
    if channel.troubles is not None:
        result.warnings += broken_warning(channel.troubles.location, channel.troubles.broken)
    log.info("notices.published", digests=result.digests, tables=len(ready))
    return result


def _tell(
    result: AnnouncementResult,
    ready: Mapping[str, Announcer],
    whole: Report,
    *,
    channel: Channel,
    comparison: TroubleComparison,
    stop: Stop,
) -> None:
    """Tell owners first, then publish the digest, unless the topic cannot be reached."""
    topic = channel.topic
    assert topic is not None  # noqa: S101  # asked by the caller
    wants_digest = comparison.wants_digest(_build_content(whole, ready, channel, comparison))
    for announcer in ready.values():
        announcer.delivery.was_tried = channel.per_token or wants_digest
    is_reachable = not channel.per_token or all(
        _tell_owners(ready[table.label], table, topic) for table in whole.tables if table.label in ready
    )
    if wants_digest and is_reachable:
        # A table whose store failed meanwhile, or whose lease was lost, is left out; where all are, nothing is told.
        had_some, ready = bool(ready), _keep_ready(ready)
        if had_some and not ready:
            return
        _publish_digest(topic, _build_content(whole, ready, channel, comparison), ready, stop, result)


def _tell_owners(announcer: Announcer, table: TableReport, topic: TopicLike) -> bool:
    """Tell a table's owners; False where the topic cannot be reached, so that no other table need be tried.

    A store that fails, or a lease that is lost, is the table's own trouble.
    """
    is_reachable = True
    with announcer.catch_store_errors():
        is_reachable = announcer.tell_owners(topic, table)
    return is_reachable or not (announcer.can_announce and announcer.holds_lease)


def _publish_digest(
    topic: TopicLike,
    content: DigestContent,
    ready: Mapping[str, Announcer],
    stop: Stop,
    result: AnnouncementResult,
) -> None:
    try:
        for part in split_digest(content):
            publish_part(topic, part, stop)
            result.digests += 1
            for label, notices in groupby(part.notices, key=_by_table):
                announcer = ready[label] if label is not None else next(iter(ready.values()))
                announcer.mark(MessageKind.DIGEST, list(notices))
            if not all(announcer.can_announce and announcer.check_lease() for announcer in ready.values()):
                return
    except SinkError as error:
        for announcer in ready.values():
            announcer.delivery.has_lost_digest = True
        result.errors.append(digest_remark(error))


def _keep_ready(announcers: Mapping[str, Announcer]) -> dict[str, Announcer]:
    """Keep those whose store works and who hold their lease: without it, another run tells the same."""
    return {
        label: announcer
        for label, announcer in announcers.items()
        if announcer.can_announce and announcer.check_lease()
    }


def _describe_dry_run(ready: Mapping[str, Announcer], whole: Report, channel: Channel) -> list[Remark]:
    """Say who would hear of a real run."""
    due = {kind: _DueInAllTables(ready, kind, names_tables=whole.is_of_several) for kind in MessageKind}
    return describe_audience(channel, whole, due[MessageKind.DIGEST], due[MessageKind.OWNER]) if ready else []


def _build_content(
    whole: Report, ready: Mapping[str, Announcer], channel: Channel, comparison: TroubleComparison
) -> DigestContent:
    """Build what the digest says, without changes that another run has told."""
    due = _DueInAllTables(ready, MessageKind.DIGEST, names_tables=whole.is_of_several)
    content = build_digest_content(whole, due, channel.pointer)
    already_told = {label for label, announcer in ready.items() if announcer.has_another_told_changes}
    if already_told and not whole.is_of_several:
        content = replace(content, changes=None)
    tables = tuple(replace(each, changes=None) if each.table in already_told else each for each in content.tables)
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
