"""Who hears of a run: the store of what was announced, the topic, the metrics, the heartbeat."""

import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from janitor.cli.places import state_directory
from janitor.cli.wiring.reach import Reached, session
from janitor.config.output import NoticeSettings, OutputSettings, StateSettings
from janitor.config.table import TableSettings
from janitor.dynamodb.client import Aws
from janitor.dynamodb.owners import pages_of_owner
from janitor.errors import ConfigurationError, JanitorError
from janitor.ledger.dynamodb import DynamoDbLedger
from janitor.ledger.interface import Ledger
from janitor.ledger.sqlite import SqliteLedger
from janitor.ledger.url import DynamoDbUrl, SqliteUrl
from janitor.notify.failure import failure_message
from janitor.parsers import MetricsTarget, S3Key
from janitor.run.announce import Announcer, Channel
from janitor.run.locked_out import PagesOfOwner
from janitor.run.stopping import Stop
from janitor.run.watch import Watch
from janitor.sinks.emf import Emf
from janitor.sinks.metric import MetricSink
from janitor.sinks.sns import Message, Topic
from janitor.tokens.fingerprint import fingerprint
from janitor.tokens.policy import Policy

STATE_FILE = "state.sqlite"


def check_notices(settings: NoticeSettings, state: StateSettings, *, requires_notice: bool, as_of: int | None) -> None:
    """Settings that come to nothing without another.

    Raises:
        ConfigurationError: there are some.
    """
    if settings.per_token and settings.sns_topic_arn is None:
        raise ConfigurationError("--per-token has no topic to publish to", "give --sns-topic-arn ARN")
    if requires_notice and settings.sns_topic_arn is None and state.state_url is None:
        way_out = "give --state-url, or --sns-topic-arn"
        raise ConfigurationError("--require-notice needs to know what was announced", way_out)
    if settings.sns_topic_arn is not None and as_of is not None:
        way_out = "go without --as-of, or without --sns-topic-arn"
        raise ConfigurationError("notices as of another time would be wrong", way_out)


class Announcing(NamedTuple):
    """Who announces what a run finds, and what it holds that against."""

    announcer: Announcer
    watch: Watch


def announcing_of(
    settings: NoticeSettings,
    state: StateSettings,
    output: OutputSettings,
    reached: Reached,
    stop: Stop,
    *,
    policy: Policy,
    secret: bytes | None,
    now: int,
    as_of: int | None,
) -> Announcing | None:
    """Who announces what the run finds, and what it remembers; None where nothing is to be remembered.

    A run as of another time remembers nothing: its findings are not true yet.
    """
    if as_of is not None or (state.state_url is None and settings.sns_topic_arn is None):
        return None
    table = reached.table
    fingerprint_of = partial(fingerprint, dialect=policy.dialect, secret=secret)
    watch = Watch(
        ledger_for(state, reached.aws),
        f"{table.account_id or '-'}/{table.region}/{table.name}",
        now=now,
        thresholds=policy.thresholds,
        fingerprint_of=fingerprint_of,
        folder=Path(tempfile.gettempdir()),
    )
    channel = Channel(
        topic=_topic(settings, reached, stop),
        per_token=settings.per_token,
        digest=settings.digest,
        pointer=_pointer(output),
    )
    announcer = Announcer(
        watch,
        channel,
        clock=time.time,
        stop=stop,
        pages_of_owner=owner_pages(reached),
        fingerprint_of=fingerprint_of,
    )
    return Announcing(announcer, watch)


def owner_pages(reached: Reached) -> PagesOfOwner | None:
    """Reads the rows of one owner; None where the table has no index for it."""
    if not reached.table.has_owner_index:
        return None
    return lambda owner: pages_of_owner(reached.aws.dynamodb, reached.table.name, owner)


def tell_of_failure(
    settings: NoticeSettings, table: TableSettings, command: str, run_id: str, error: JanitorError
) -> JanitorError | None:
    """Publish that a run came to no report, where there is a topic; why that failed, if it did."""
    if settings.sns_topic_arn is None or settings.digest == "never":
        return None
    named = table.table or table.deployment or table.ssm_parameter or "no table"
    made = failure_message(command, named, run_id, error.code, str(error))
    message = Message(
        body=made.body,
        subject=made.subject,
        group_id=made.group_id,
        deduplication_id=made.deduplication_id,
        is_structured=True,
    )
    try:
        jitter = random.Random()  # noqa: S311  # spreads retries, guards nothing
        Topic(session(table).sns, settings.sns_topic_arn, lambda _: False, jitter).publish(message)
    except JanitorError as failure:
        return failure
    return None


def metric_sinks(settings: NoticeSettings) -> list[MetricSink]:
    """Where the metrics go, none of them opened."""
    return [_metric_sink(target) for target in settings.metrics]


def _metric_sink(target: MetricsTarget) -> MetricSink:
    if target.path is None:
        return Emf(sys.stderr)
    from janitor.sinks.prometheus import Prometheus

    return Prometheus(target.path)


def ledger_for(state: StateSettings, aws: Aws) -> Ledger:
    """The store that the settings name, or the one in the state directory; not opened."""
    match state.state_url:
        case DynamoDbUrl(table):
            return DynamoDbLedger(aws.dynamodb, table)
        case SqliteUrl(path):
            return SqliteLedger(path)
        case _:
            return SqliteLedger(state_directory() / STATE_FILE)


def _topic(settings: NoticeSettings, reached: Reached, stop: Stop) -> Topic | None:
    if settings.sns_topic_arn is None:
        return None
    jitter = random.Random()  # noqa: S311  # spreads retries, guards nothing
    return Topic(reached.aws.sns, settings.sns_topic_arn, stop.pause, jitter)


def _pointer(output: OutputSettings) -> str | None:
    """Where the full report is, as far as the options tell: in S3 if it is there, where a reader gets at it."""
    places = sorted(output.report, key=lambda target: not isinstance(target.place, S3Key))
    return str(places[0].place) if places else None
