"""The announcer of a run, from its settings: the memory of notices and the topic.

Imported only by runs that have a topic or a store.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import NamedTuple

from janitor.dynamodb.client import Aws
from janitor.errors import JanitorError, SinkError
from janitor.notices.announcer import Announcer, AnnouncingRun
from janitor.notices.audience import Audience, MessageKind
from janitor.notices.channel import Channel
from janitor.notices.dry_announcement import DryAnnouncer
from janitor.notices.failure_message import build_failure_message
from janitor.notices.notice_memory import NoticeMemory, NoticeTerms
from janitor.notices.trouble import Trouble
from janitor.report.model import Remark
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.scan import JobSettings
from janitor.settings.table import TableSettings
from janitor.sinks.sns import Message, Topic
from janitor.stopping import Stop
from janitor.temporary import temporary_folder
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.wiring.policy import Terms, fingerprint_key_id
from janitor.wiring.stores import announce_lease_for, failure_lease_for, has_store, scope_of, store_for, troubles_for
from janitor.wiring.table import MAX_SKEW_SECONDS, OpenTable, name_in_settings, open_session, owner_pages


class TableNotices(NamedTuple):
    """The announcer of one table, and its memory of the notices that were sent."""

    announcer: Announcer
    memory: NoticeMemory


def build_table_notices(
    settings: NoticeSettings,
    state: StateSettings,
    opened: OpenTable,
    stop: Stop,
    terms: Terms,
    *,
    remembers: bool = True,
    requires_notice: bool = False,
    attempts_of: str | None = None,
) -> TableNotices | None:
    """Build the announcer of a table; None where nothing is remembered.

    A run as of another time remembers nothing: its findings are not true yet. A dry run says who would be notified.

    Args:
        settings: who is notified.
        state: where that is remembered.
        opened: the table.
        stop: may ask for an early end.
        terms: by which rules and at what time the table is judged.
        remembers: whether the run reads the whole table, as the next run will.
        requires_notice: whether the run deletes only tokens that were announced.
        attempts_of: the name of the work that this run is an attempt of; None where it is not repeated.
    """
    if terms.as_of is not None or not has_store(state, settings):
        return None
    policy, secret, is_dry_run = terms.policy, terms.secret, terms.is_dry_run
    table = opened.table
    fingerprint_of = partial(compute_fingerprint, dialect=policy.dialect, secret=secret)
    channel = Channel(
        topic=None if is_dry_run else open_topic(settings, opened.run_session, stop),
        per_token=settings.per_token,
        digest=settings.digest,
        pointer=None,
        topic_arn=settings.sns_topic_arn,
        refusal=clock_refusal(table.skew_seconds),
    )
    kind, topic_arn = MessageKind.OWNER if settings.per_token else MessageKind.DIGEST, settings.sns_topic_arn
    memory_terms = NoticeTerms(
        scope=scope_of(table),
        now=terms.now,
        thresholds=policy.thresholds,
        grace=policy.grace,
        naming=f"{policy.dialect.value}/{fingerprint_key_id(secret)}",
        profile=f"{policy.dialect.value}/{policy.horizon}/{fingerprint_key_id(secret)}",
        audiences=channel.audiences,
        needs_notice=Audience(kind, topic_arn) if requires_notice and topic_arn else None,
        is_dry_run=is_dry_run,
    )
    memory = NoticeMemory(
        store_for(state, lambda: opened.aws, is_dry_run=is_dry_run),
        memory_terms,
        fingerprint_of=fingerprint_of,
        folder=temporary_folder(),
    )
    announcer = (DryAnnouncer if is_dry_run else Announcer)(
        memory,
        channel,
        AnnouncingRun(run_id=terms.run_id, clock=time.time, stop=stop, remembers=remembers),
        pages_of_owner=owner_pages(opened),
        lease=announce_lease_for(state, opened.aws, table, topic_arn, terms.run_id, stop=stop, attempts_of=attempts_of)
        if topic_arn and not is_dry_run
        else None,
    )
    return TableNotices(announcer, memory)


def make_run_channel(
    settings: JobSettings,
    aws: Callable[[], Aws],
    stop: Stop,
    *,
    command: str,
    is_silent: bool,
    pointer: str | None,
) -> Channel:
    """Make the channel for what concerns the run as a whole.

    A run that `is_silent` publishes nothing and only says who would be notified. `pointer` is where the full report is.
    """
    notices = settings.notices
    return Channel(
        topic=None if is_silent or notices.sns_topic_arn is None else open_topic(notices, aws(), stop),
        per_token=notices.per_token,
        digest=notices.digest,
        pointer=pointer,
        topic_arn=notices.sns_topic_arn,
        troubles=troubles_for(settings.state, notices, aws, command=command, table=name_in_settings(settings.table)),
    )


def publish_failure(
    settings: NoticeSettings,
    state: StateSettings,
    table: TableSettings,
    *,
    command: str,
    run_id: str,
    error: JanitorError,
    stop: Stop,
) -> SinkError | None:
    """Publish that a run ended without a report, where there is a topic.

    Nothing is published if the last run failed in the same way and that was published less than a day ago. If several
    runs fail at once, one of them publishes, as long as the store works.

    Returns:
        why publishing failed; None if it did not.
    """
    if settings.sns_topic_arn is None or settings.digest == "never":
        return None
    content = build_failure_message(command, name_in_settings(table), run_id, error.code, str(error))
    message = Message(
        body=content.body,
        subject=content.subject,
        group_id=content.group_id,
        deduplication_id=content.deduplication_id,
        is_structured=True,
    )
    try:
        aws = open_session(table)
        topic = Topic(aws.sns, settings.sns_topic_arn, lambda _: False)
        troubles = lease = None
        # The store may be what made the run fail; then every failure is published.
        with suppress(JanitorError):
            troubles = troubles_for(state, settings, lambda: aws, command=command, table=name_in_settings(table))
            lease = None if troubles is None else failure_lease_for(state, aws, troubles, run_id, stop)
        with ExitStack() as held:
            if lease is not None:
                with suppress(JanitorError):
                    held.enter_context(lease)
            trouble, last = Trouble(f"no report:{error.code}", str(error)), troubles.last() if troubles else None
            if troubles is not None and troubles.is_known(trouble, last):
                return None
            topic.publish(message)
            if troubles is not None:
                troubles.remember(trouble, last, was_told=True)
    except JanitorError as failure:
        return SinkError(failure.sentence, failure.way_out, failure.code)
    return None


def open_topic(settings: NoticeSettings, aws: Aws, stop: Stop) -> Topic | None:
    """Open the topic that the settings name, through this session; None where they name none."""
    if settings.sns_topic_arn is None:
        return None
    return Topic(aws.sns, settings.sns_topic_arn, stop.pause)


def clock_refusal(skew_seconds: int | None) -> Remark | None:
    """Refuse to announce by a wrong clock: a token would be announced too early or late, and not again at its time."""
    if skew_seconds is None or abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return None
    message = f"nothing was announced: the local clock is {skew_seconds:+,} seconds off the server's; set it right"
    return Remark(where="clock", code="skewed", message=message)
