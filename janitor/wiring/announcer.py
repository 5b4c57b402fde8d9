"""Who announces what a run finds: the store of what was announced, and the topic. Only of runs that have either."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import NamedTuple

from janitor.dynamodb.client import Aws
from janitor.errors import JanitorError, SinkError
from janitor.notices.announce import Announcer, DryAnnouncer
from janitor.notices.audience import Audience, Kind
from janitor.notices.channel import Channel
from janitor.notices.failure import failure_message
from janitor.notices.notice_memory import NoticeMemory, NoticeTerms
from janitor.notices.trouble import Trouble
from janitor.report.model import Remark
from janitor.settings.around_run import AroundRun
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.table import TableSettings
from janitor.sinks.sns import Message, Topic
from janitor.stopping import Stop
from janitor.temporary import temporary_folder
from janitor.tokens.fingerprint import fingerprint
from janitor.wiring.fingerprint_key import key_name
from janitor.wiring.notices import owner_pages
from janitor.wiring.policy import Terms
from janitor.wiring.stores import failure_turn_for, has_store, scope_of, store_for, troubles_for, turn_for
from janitor.wiring.table import MAX_SKEW_SECONDS, OpenTable, name_in_settings, open_session


class Announcing(NamedTuple):
    """Who announces what a run finds, and what it holds that against."""

    announcer: Announcer
    watch: NoticeMemory


def announcing_of(
    settings: NoticeSettings,
    state: StateSettings,
    reached: OpenTable,
    stop: Stop,
    terms: Terms,
    *,
    remembers: bool = True,
    requires_notice: bool = False,
    attempts_of: str | None = None,
) -> Announcing | None:
    """Who announces what is found in the table, and what is remembered; None where nothing is to be remembered.

    A run as of another time remembers nothing: its findings are not true yet. A dry run says who would be told.

    Args:
        settings: who hears of it.
        state: where that is remembered.
        reached: the table.
        stop: who may ask for an early end.
        terms: by what it is judged.
        remembers: whether the run sees the whole table, as the next will.
        requires_notice: whether it deletes only what was announced.
        attempts_of: as `lease_for` has it.
    """
    if terms.as_of is not None or not has_store(state, settings):
        return None
    policy, secret, is_dry_run = terms.policy, terms.secret, terms.is_dry_run
    table = reached.table
    fingerprint_of = partial(fingerprint, dialect=policy.dialect, secret=secret)
    channel = Channel(
        topic=None if is_dry_run else topic_of(settings, reached.home, stop),
        per_token=settings.per_token,
        digest=settings.digest,
        pointer=None,
        audience=settings.sns_topic_arn,
        refusal=clock_refusal(table.skew_seconds),
    )
    kind, topic_arn = Kind.OWNER if settings.per_token else Kind.DIGEST, settings.sns_topic_arn
    watch_terms = NoticeTerms(
        scope=scope_of(table),
        now=terms.now,
        thresholds=policy.thresholds,
        grace=policy.grace,
        naming=f"{policy.dialect.value}/{key_name(secret)}",
        profile=f"{policy.dialect.value}/{policy.horizon}/{key_name(secret)}",
        audiences=channel.audiences,
        needs_notice=Audience(kind, topic_arn) if requires_notice and topic_arn else None,
        is_rehearsal=is_dry_run,
    )
    watch = NoticeMemory(
        store_for(state, lambda: reached.aws, is_dry_run=is_dry_run),
        watch_terms,
        fingerprint_of=fingerprint_of,
        folder=temporary_folder(),
    )
    announcer = (DryAnnouncer if is_dry_run else Announcer)(
        watch,
        channel,
        clock=time.time,
        stop=stop,
        pages_of_owner=owner_pages(reached),
        run_id=terms.run_id,
        remembers=remembers,
        turn=turn_for(state, reached.aws, table, topic_arn, terms.run_id, stop=stop, attempts_of=attempts_of)
        if topic_arn and not is_dry_run
        else None,
    )
    return Announcing(announcer, watch)


def run_channel(
    settings: AroundRun,
    aws: Callable[[], Aws],
    stop: Stop,
    *,
    command: str,
    is_silent: bool,
    pointer: str | None,
) -> Channel:
    """Who hears of the run, or would of one that `is_silent`; `pointer` is where the full report is."""
    notices = settings.notices
    return Channel(
        topic=None if is_silent or notices.sns_topic_arn is None else topic_of(notices, aws(), stop),
        per_token=notices.per_token,
        digest=notices.digest,
        pointer=pointer,
        audience=notices.sns_topic_arn,
        troubles=troubles_for(settings.store, notices, aws, command=command, table=name_in_settings(settings.table)),
    )


def tell_of_failure(
    settings: NoticeSettings,
    state: StateSettings,
    table: TableSettings,
    *,
    command: str,
    run_id: str,
    error: JanitorError,
    stop: Stop,
) -> SinkError | None:
    """Publish that a run came to no report, where there is a topic; why that failed, if it did.

    Nothing is published where the last run failed in the same way, and that was told less than a day ago. Of several
    that fail at once one publishes, as long as the store works.
    """
    if settings.sns_topic_arn is None or settings.digest == "never":
        return None
    made = failure_message(command, name_in_settings(table), run_id, error.code, str(error))
    message = Message(
        body=made.body,
        subject=made.subject,
        group_id=made.group_id,
        deduplication_id=made.deduplication_id,
        is_structured=True,
    )
    try:
        aws = open_session(table)
        topic = Topic(aws.sns, settings.sns_topic_arn, lambda _: False)
        troubles = turn = None
        # A store that does not work may be what the run has failed of: then everything is told.
        with suppress(JanitorError):
            troubles = troubles_for(state, settings, lambda: aws, command=command, table=name_in_settings(table))
            turn = None if troubles is None else failure_turn_for(state, aws, troubles, run_id, stop)
        with ExitStack() as held:
            if turn is not None:
                with suppress(JanitorError):
                    held.enter_context(turn)
            trouble, last = Trouble(f"no report:{error.code}", str(error)), troubles.last() if troubles else None
            if troubles is not None and troubles.is_known(trouble, last):
                return None
            topic.publish(message)
            if troubles is not None:
                troubles.settle(trouble, last, was_told=True)
    except JanitorError as failure:
        return SinkError(failure.sentence, failure.way_out, failure.code)
    return None


def topic_of(settings: NoticeSettings, aws: Aws, stop: Stop) -> Topic | None:
    """The topic that is published to, reached through this session; None where there is none."""
    if settings.sns_topic_arn is None:
        return None
    return Topic(aws.sns, settings.sns_topic_arn, stop.pause)


def clock_refusal(skew_seconds: int | None) -> Remark | None:
    """By a wrong clock a token would be announced at a wrong time, and then not at the right one."""
    if skew_seconds is None or abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return None
    message = f"nothing was announced: the local clock is {skew_seconds:+,} seconds off the server's; set it right"
    return Remark(where="clock", code="skewed", message=message)
