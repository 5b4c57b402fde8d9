"""The announcer of a run, from its settings: the memory of notices and the topic.

Imported only by runs that have a topic or a store.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import NamedTuple

from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.clock import describe_skew
from janitor.errors import JanitorError, SinkError
from janitor.notices.announcer import Announcer, RunContext
from janitor.notices.audience import Audience, MessageKind
from janitor.notices.channel import Channel
from janitor.notices.dry_announcement import DryAnnouncer
from janitor.notices.failure_message import build_failure_message, publish_unless_recent
from janitor.notices.notice_memory import NoticeMemory, NoticeRules
from janitor.notices.run_problem import RunProblem
from janitor.report.model import Remark
from janitor.settings.output import CHATBOT, NoticeSettings, StateSettings
from janitor.settings.scan import JobSettings
from janitor.settings.table import TableSettings
from janitor.sinks.sns import Topic
from janitor.stopping import Stop
from janitor.temporary import temporary_folder
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.wiring.open_table import MAX_SKEW_SECONDS, OpenTable, make_owner_reader, name_in_settings, open_session
from janitor.wiring.policy import TableRunParameters, compute_key_id
from janitor.wiring.stores import make_announce_lease, make_failure_lease, make_problem_memory, open_store, scope_of


class TableNotices(NamedTuple):
    """The announcer of one table, and its memory of the notices that were sent."""

    announcer: Announcer
    memory: NoticeMemory


def build_table_notices(
    settings: NoticeSettings,
    state: StateSettings,
    opened: OpenTable,
    stop: Stop,
    parameters: TableRunParameters,
    *,
    remembers: bool,
    requires_notice: bool,
    attempts_of: str | None,
) -> TableNotices:
    """Build the announcer of a table. In a dry run it only says who would be notified.

    Args:
        settings: who is notified.
        state: where that is remembered.
        opened: the table.
        stop: says whether the run was asked to stop.
        parameters: by which rules and at what time the table is judged.
        remembers: whether the run reads the whole table, as the next run will.
        requires_notice: whether the run deletes only tokens that were announced.
        attempts_of: the name of the work that this run is an attempt of; None if it is not repeated.
    """
    policy, fingerprint_key, is_dry_run = parameters.policy, parameters.fingerprint_key, parameters.is_dry_run
    table, key_id = opened.table, compute_key_id(fingerprint_key)
    compute_row_fingerprint = partial(compute_fingerprint, dialect=policy.dialect, fingerprint_key=fingerprint_key)
    channel = Channel(
        topic=None if is_dry_run else open_topic(settings, opened.run_session, stop),
        per_token=settings.per_token,
        digest=settings.digest,
        full_report_location=None,
        arn=settings.sns_topic_arn,
        refusal=find_clock_refusal(table.skew_seconds),
    )
    kind, topic_arn = MessageKind.OWNER if settings.per_token else MessageKind.DIGEST, settings.sns_topic_arn
    rules = NoticeRules(
        scope=scope_of(table),
        now=parameters.now,
        thresholds=policy.thresholds,
        grace=policy.grace,
        fingerprint_scheme=f"{policy.dialect.value}/{key_id}",
        findings_scheme=f"{policy.dialect.value}/{policy.horizon}/{key_id}",
        audiences=channel.audiences,
        needs_notice=Audience(kind, topic_arn) if requires_notice and topic_arn else None,
        is_dry_run=is_dry_run,
    )
    memory = NoticeMemory(
        open_store(state, lambda: opened.aws, is_dry_run=is_dry_run),
        rules,
        compute_row_fingerprint=compute_row_fingerprint,
        folder=temporary_folder(),
        clock=time.time,
    )
    announcer = (DryAnnouncer if is_dry_run else Announcer)(
        memory,
        channel,
        RunContext(run_id=parameters.run_id, clock=time.time, stop=stop, remembers=remembers),
        pages_of_owner=make_owner_reader(opened),
        lease=make_announce_lease(
            state, opened.aws, table, topic_arn, parameters.run_id, stop=stop, attempts_of=attempts_of
        )
        if topic_arn and not is_dry_run
        else None,
    )
    return TableNotices(announcer, memory)


def make_run_channel(
    settings: JobSettings,
    aws: Callable[[], AwsSession],
    stop: Stop,
    *,
    command: str,
    is_dry_run: bool,
    full_report_location: str | None,
) -> Channel:
    """Make the channel for what concerns the run as a whole.

    A dry run publishes nothing and only says who would be notified. `full_report_location` is where the full report is.
    """
    notices = settings.notices
    return Channel(
        topic=None if is_dry_run or notices.sns_topic_arn is None else open_topic(notices, aws(), stop),
        per_token=notices.per_token,
        digest=notices.digest,
        full_report_location=full_report_location,
        arn=notices.sns_topic_arn,
        has_chat_text=notices.digest_format == CHATBOT,
        problems=make_problem_memory(
            settings.state, notices, aws, command=command, table=name_in_settings(settings.table)
        ),
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
    """Publish that a run ended without a report, if there is a topic.

    Nothing is published if the last run failed in the same way and that was published less than a day ago. If several
    runs fail at once, one of them publishes, as long as the store works.

    Returns:
        why publishing failed; None if it did not.
    """
    if settings.sns_topic_arn is None or settings.digest == "never":
        return None
    message = build_failure_message(
        command,
        name_in_settings(table),
        run_id,
        error.code,
        str(error),
        has_chat_text=settings.digest_format == CHATBOT,
    )
    try:
        aws = open_session(table)
        topic = Topic(aws.sns, settings.sns_topic_arn, lambda _: False)
        problems = lease = None
        # The store may be what made the run fail; then every failure is published.
        with suppress(JanitorError):
            problems = make_problem_memory(state, settings, lambda: aws, command=command, table=name_in_settings(table))
            lease = None if problems is None else make_failure_lease(state, aws, problems, run_id, stop)
        with ExitStack() as held:
            if lease is not None:
                with suppress(JanitorError):
                    held.enter_context(lease)
            publish_unless_recent(topic, message, RunProblem(f"no report:{error.code}", str(error)), problems)
    except JanitorError as failure:
        return SinkError(failure.sentence, failure.way_out, failure.code)
    return None


def open_topic(settings: NoticeSettings, aws: AwsSession, stop: Stop) -> Topic | None:
    """Open the topic that the settings name, through this session; None if they name none."""
    if settings.sns_topic_arn is None:
        return None
    return Topic(aws.sns, settings.sns_topic_arn, stop.pause)


def find_clock_refusal(skew_seconds: int | None) -> Remark | None:
    """Refuse to announce by a wrong clock: a token would be announced too early or late, and not again at its time."""
    if skew_seconds is None or abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return None
    message = f"nothing was announced: {describe_skew(skew_seconds)}; correct it"
    return Remark(where="clock", code="skewed", message=message)
