"""The announcers of a run, from its settings: the memory of notices, and where they go.

Imported only by runs that notify somebody or have a store.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.clock import describe_skew
from janitor.errors import JanitorError, SinkError
from janitor.notices.address_book import open_address_book
from janitor.notices.announcer import Announcer, RunContext
from janitor.notices.announcer_group import AnnouncerGroup
from janitor.notices.audience import Audience, MessageKind
from janitor.notices.channel import Channel, Destination
from janitor.notices.dry_announcement import DryAnnouncer
from janitor.notices.failure_message import build_failure_message, build_service_failure, publish_unless_recent
from janitor.notices.notice_memory import NoticeMemory, NoticeRules
from janitor.notices.owner_text import OwnerMessageRules
from janitor.notices.run_problem import RunProblem
from janitor.report.model import Remark
from janitor.settings.output import CHATBOT, MAIL, NoticeSettings, StateSettings
from janitor.settings.scan import JobSettings
from janitor.settings.table import TableSettings
from janitor.stopping import Stop
from janitor.temporary import temporary_folder
from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.wiring.destinations import list_destinations, open_destination
from janitor.wiring.open_table import MAX_SKEW_SECONDS, OpenTable, make_owner_reader, name_in_settings, open_session
from janitor.wiring.policy import TableRunParameters, compute_key_id
from janitor.wiring.stores import make_announce_lease, make_failure_lease, make_problem_memory, open_store, scope_of


class TableNotices(NamedTuple):
    """The announcers of one table, and the memory of the notices that were sent to the first destination."""

    announcer: AnnouncerGroup
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
    """Build the announcers of a table. In a dry run they only say who would be notified.

    Args:
        settings: who is notified.
        state: where that is remembered.
        opened: the table.
        stop: says whether the run was asked to stop.
        parameters: by which rules and at what time the table is judged.
        remembers: whether the run reads the whole table, as the next run will.
        requires_notice: whether the run deletes only tokens that were announced, to the topic.
        attempts_of: the name of the work that this run is an attempt of; None if it is not repeated.
    """
    destinations: list[Destination | None] = [*list_destinations(settings)] or [None]
    announcers, memories = [], []
    for destination in destinations:
        channel = _make_channel(
            settings, destination, lambda: opened.run_session, stop, is_dry_run=parameters.is_dry_run
        )
        channel = replace(
            channel,
            refusal=find_clock_refusal(opened.table.skew_seconds),
            owner_messages=_make_owner_rules(settings, parameters),
        )
        is_first = destination is destinations[0]
        memory = _make_memory(state, opened, parameters, channel, requires_notice=requires_notice and is_first)
        announcer = (DryAnnouncer if parameters.is_dry_run else Announcer)(
            memory,
            channel,
            RunContext(run_id=parameters.run_id, clock=time.time, stop=stop, remembers=remembers, compares=is_first),
            pages_of_owner=make_owner_reader(opened),
            lease=make_announce_lease(
                state,
                opened.aws,
                opened.table,
                destination.id,
                parameters.run_id,
                stop=stop,
                attempts_of=attempts_of,
            )
            if destination is not None and not parameters.is_dry_run
            else None,
        )
        memories.append(memory)
        announcers.append(announcer)
    return TableNotices(AnnouncerGroup(announcers), memories[0])


def _make_owner_rules(settings: NoticeSettings, parameters: TableRunParameters) -> OwnerMessageRules:
    """Make the rules by which messages to the owners of a table's tokens are written."""
    return OwnerMessageRules(
        is_hashed=parameters.policy.dialect is Dialect.HASHED,
        has_fingerprint_key=parameters.fingerprint_key is not None,
        contact=settings.contact,
        text=settings.notice_text,
        is_structured=settings.sns_format == MAIL,
    )


def _make_memory(
    state: StateSettings,
    opened: OpenTable,
    parameters: TableRunParameters,
    channel: Channel,
    *,
    requires_notice: bool,
) -> NoticeMemory:
    """Make the memory of what this channel's audiences heard of the table."""
    policy, fingerprint_key, is_dry_run = parameters.policy, parameters.fingerprint_key, parameters.is_dry_run
    key_id, destination = compute_key_id(fingerprint_key), channel.destination
    kind = MessageKind.OWNER if channel.per_token else MessageKind.DIGEST
    rules = NoticeRules(
        scope=scope_of(opened.table),
        now=parameters.now,
        thresholds=policy.thresholds,
        grace=policy.grace,
        fingerprint_scheme=f"{policy.dialect.value}/{key_id}",
        findings_scheme=f"{policy.dialect.value}/{policy.horizon}/{key_id}",
        audiences=channel.audiences,
        needs_notice=Audience(kind, destination.id) if requires_notice and destination is not None else None,
        is_dry_run=is_dry_run,
    )
    return NoticeMemory(
        open_store(state, lambda: opened.aws, is_dry_run=is_dry_run),
        rules,
        compute_row_fingerprint=partial(compute_fingerprint, dialect=policy.dialect, fingerprint_key=fingerprint_key),
        folder=temporary_folder(),
        clock=time.time,
    )


def make_run_channels(
    settings: JobSettings,
    aws: Callable[[], AwsSession],
    stop: Stop,
    *,
    command: str,
    is_dry_run: bool,
    full_report_location: str | None,
) -> list[Channel]:
    """Make the channels for what concerns the run as a whole: one for each destination, or one that leads nowhere.

    A dry run publishes nothing and only says who would be notified. `full_report_location` is where the full report is.
    """
    notices, table = settings.notices, name_in_settings(settings.table)
    destinations = list_destinations(notices)
    channels = [
        replace(
            _make_channel(notices, destination, aws, stop, is_dry_run=is_dry_run),
            problems=make_problem_memory(settings.state, notices, destination.id, aws, command=command, table=table),
        )
        for destination in destinations
    ] or [_make_channel(notices, None, aws, stop, is_dry_run=is_dry_run)]
    return [replace(channel, full_report_location=full_report_location) for channel in channels]


def _make_channel(
    settings: NoticeSettings,
    destination: Destination | None,
    aws: Callable[[], AwsSession],
    stop: Stop,
    *,
    is_dry_run: bool,
) -> Channel:
    """Make the channel to a destination; None leads nowhere."""
    is_service = destination is not None and destination.is_service
    is_mail = destination is not None and destination.is_mail
    sends_to_owners = not is_service or (is_mail and settings.owner_address is not None)
    return Channel(
        topic=None if is_dry_run or destination is None else open_destination(settings, destination, aws, stop),
        per_token=settings.per_token and sends_to_owners,
        digest=settings.digest,
        full_report_location=None,
        destination=destination,
        has_chat_text=settings.digest_format == CHATBOT and not is_service,
        addresses=None if settings.owner_address is None else open_address_book(settings.owner_address),
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
    """Publish that a run ended without a report, to every destination.

    Nothing is published if the last run failed in the same way and that was published less than a day ago. If several
    runs fail at once, one of them publishes, as long as the store works.

    Returns:
        why publishing failed, at one destination or more; None if it did not.
    """
    if settings.digest == "never":
        return None
    arn = settings.sns_topic_arn
    try:
        destinations = list_destinations(settings)
    except JanitorError:
        # A wrong service may be why the run failed; the topic can be told so.
        destinations = [] if arn is None else [Destination(arn, arn)]
    publish = partial(
        _publish_failure_to, settings, state, table, command=command, run_id=run_id, error=error, stop=stop
    )
    failures = [failure for destination in destinations if (failure := publish(destination)) is not None]
    if not failures:
        return None
    return SinkError("; ".join(failure.sentence for failure in failures), failures[0].way_out, failures[0].code)


def _publish_failure_to(
    settings: NoticeSettings,
    state: StateSettings,
    table: TableSettings,
    destination: Destination,
    *,
    command: str,
    run_id: str,
    error: JanitorError,
    stop: Stop,
) -> SinkError | None:
    """Publish to one destination that a run ended without a report; return why that failed."""
    name = name_in_settings(table)
    message = (
        build_failure_message(
            command, name, run_id, error.code, str(error), has_chat_text=settings.digest_format == CHATBOT
        )
        if not destination.is_service
        else build_service_failure(command, name, run_id, error.code, str(error))
    )
    # Opened when it is needed: a service needs none, and no session may be why the run failed.
    aws = cache(lambda: open_session(table))
    try:
        topic = open_destination(settings, destination, aws, stop)
        problems = lease = None
        # The store may be what made the run fail; then every failure is published.
        with suppress(JanitorError):
            session = aws()
            problems = make_problem_memory(state, settings, destination.id, aws, command=command, table=name)
            lease = make_failure_lease(state, session, problems, run_id, stop)
        with ExitStack() as held:
            if lease is not None:
                with suppress(JanitorError):
                    held.enter_context(lease)
            publish_unless_recent(topic, message, RunProblem(f"no report:{error.code}", str(error)), problems)
    except JanitorError as failure:
        return SinkError(failure.sentence, failure.way_out, failure.code)
    return None


def find_clock_refusal(skew_seconds: int | None) -> Remark | None:
    """Refuse to announce by a wrong clock: a token would be announced too early or late, and not again at its time."""
    if skew_seconds is None or abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return None
    message = f"nothing was announced: {describe_skew(skew_seconds)}; correct it"
    return Remark(where="clock", code="skewed", message=message)
