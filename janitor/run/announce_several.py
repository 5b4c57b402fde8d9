"""The end of a run of several tables for those who are to hear of it: one digest, and what stores remember.

Each table has an announcer of its own, with its own store and its own due notices, whose end is held back until all
tables had their turn. A notice is marked in its table's store, and only after SNS took the part that holds it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from janitor.errors import SinkError
from janitor.logs import get_logger
from janitor.notify.audience import Kind
from janitor.notify.content import DigestContent
from janitor.notify.notice import Notice
from janitor.notify.parts import digest_parts
from janitor.readers.interface import FoundRow
from janitor.report.model import Outcome, Remark, Report
from janitor.run.announce import Announcer, Sent
from janitor.run.channel import Channel, Sameness, TopicLike, digest_remark, publish_part
from janitor.run.digest_content import digest_content
from janitor.run.rehearsal import who_would_be_told
from janitor.run.stopping import Stop

log = get_logger("janitor.notices")

_by_table = attrgetter("table")


class HeldBack:
    """As an `Announcer`, but for its end, which waits for all other tables. It is to be closed by `let_go`."""

    def __init__(self, announcer: Announcer, label: str) -> None:
        """Args: the announcer of a table, and what the run calls the table."""
        self.label = label
        self.announcer = announcer
        self.sent = Sent()
        self.has_ended = False
        self.is_complete = False

    def open(self) -> None:
        """As `Announcer.open`."""
        self.announcer.open()

    def see(self, told: Sequence[FoundRow]) -> None:
        """As `Announcer.see`."""
        self.announcer.see(told)

    def finish(self, report: Report, *, is_complete: bool) -> Report:
        """Find out what has changed; nothing is announced yet."""
        self.has_ended, self.is_complete = True, is_complete
        return self.announcer.changed(report, is_complete=is_complete)

    def close(self) -> None:
        """Nothing yet."""

    def let_go(self) -> None:
        """As `Announcer.close`."""
        self.announcer.close()

    @property
    def can_announce(self) -> bool:
        """Whether its table was read, and what is due there may be told."""
        return self.has_ended and self.announcer.can_announce


@dataclass(slots=True)
class Announced:
    """What was published for all tables together."""

    digests: int = 0
    warnings: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)


class _AllDue(Collection[Notice]):
    """The due notices of several tables, one table after the other. They stay on disk."""

    def __init__(self, tables: Sequence[HeldBack], kind: Kind = Kind.DIGEST) -> None:
        self._tables, self._kind = tables, kind

    def __len__(self) -> int:
        return sum(len(table.announcer.due(self._kind)) for table in self._tables)

    def __iter__(self) -> Iterator[Notice]:
        for table in self._tables:
            with table.announcer.failing():
                for notice in table.announcer.due(self._kind):
                    yield replace(notice, table=table.label)

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)


def announce(
    tables: Sequence[HeldBack], whole: Report, reports: Sequence[Report], channel: Channel, stop: Stop
) -> Announced:
    """Tell the owners of each table, and publish the digest of all.

    Args:
        tables: those that anything is remembered of.
        whole: the report of all tables, without what is announced.
        reports: the report of each of `tables`.
        channel: who is told, and when.
        stop: who may ask for an early end.
    """
    announced = Announced()
    telling = [table for table in tables if table.can_announce]
    read = [table for table in tables if table.has_ended]
    # Where no store works nobody can tell what was sent already; where no table was read, that is all there is to tell.
    if (read and not telling) or whole.run.outcome is Outcome.SKIPPED:
        return announced
    if channel.topic is None:
        announced.warnings += _rehearsed(telling, whole, channel)
        return announced
    sameness = Sameness(channel, whole)
    of_table = {table.label: report for table, report in zip(tables, reports, strict=True)}
    tells_owners = channel.per_token and any(len(table.announcer.for_owners) for table in telling)
    if tells_owners or sameness.wants(_content(whole, telling, channel, sameness)):
        for table in telling:
            table.announcer.take_turn()
        telling = [table for table in telling if table.can_announce]
        if not read or telling:
            # Another run may have told of the same trouble meanwhile.
            sameness = Sameness(channel, whole)
            wants_digest = sameness.wants(_content(whole, telling, channel, sameness))
            for table in telling:
                table.sent.was_tried = channel.per_token or wants_digest
            goes_on = not channel.per_token or all(
                _owners_told(table, of_table[table.label], channel.topic) for table in telling
            )
            if wants_digest and goes_on:
                # A store that failed meanwhile is not asked any more.
                telling = [table for table in telling if table.can_announce]
                content = _content(whole, telling, channel, sameness)
                _publish(channel.topic, content, {table.label: table for table in telling}, stop, announced)
    sameness.settle(was_told=announced.digests > 0 and not announced.errors)
    log.info("notices.published", digests=announced.digests, tables=len(telling))
    return announced


def _rehearsed(telling: Sequence[HeldBack], whole: Report, channel: Channel) -> list[Remark]:
    """Who would be told of all tables, which none of them says for itself then."""
    for table in telling:
        table.sent.was_tried = True
    return who_would_be_told(channel, whole, _AllDue(telling), _AllDue(telling, Kind.OWNER))


def _content(whole: Report, telling: Sequence[HeldBack], channel: Channel, sameness: Sameness) -> DigestContent:
    """What the digest says, without changes that another run has told."""
    content = digest_content(whole, _AllDue(telling), channel.pointer)
    told = {table.label for table in telling if table.announcer.are_changes_told}
    tables = tuple(replace(each, changes=None) if each.table in told else each for each in content.tables)
    long_expired = sum(table.announcer.long_expired for table in telling)
    return sameness.added_to(replace(content, tables=tables, long_expired=long_expired))


def _owners_told(table: HeldBack, report: Report, topic: TopicLike) -> bool:
    """Whether it is worth going on, be it only with the other tables: not where the topic is out of reach."""
    goes_on = True
    with table.announcer.failing():
        goes_on = table.announcer.tell_owners(topic, report, table.sent)
    return goes_on or not table.can_announce


def _publish(
    topic: TopicLike, content: DigestContent, tables: dict[str | None, HeldBack], stop: Stop, announced: Announced
) -> None:
    try:
        for part in digest_parts(content):
            publish_part(topic, part, stop)
            announced.digests += 1
            for label, notices in groupby(part.notices, key=_by_table):
                tables[label].announcer.mark(Kind.DIGEST, list(notices))
            if not all(table.can_announce and table.announcer.is_its_turn for table in tables.values()):
                return
    except SinkError as error:
        for table in tables.values():
            table.sent.has_lost_digest = True
        announced.errors.append(digest_remark(error))
