"""Who hears of a run: the store of what was announced, the topic, the metrics, the heartbeat."""

import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from janitor.cli.places import is_folder
from janitor.cli.wiring.reach import MAX_SKEW_SECONDS, Reached, named, session
from janitor.cli.wiring.report_places import expanded
from janitor.cli.wiring.stores import has_store, ledger_for, scope_of
from janitor.config.output import NoticeSettings, OutputSettings, StateSettings
from janitor.config.table import TableSettings
from janitor.dynamodb.client import Aws
from janitor.dynamodb.locate import Table
from janitor.dynamodb.owners import pages_of_owner
from janitor.errors import ConfigurationError, JanitorError, SinkError
from janitor.ledger.url import SqliteUrl
from janitor.notify.failure import failure_message
from janitor.parsers import MetricsTarget, S3Key
from janitor.report.model import Remark, TablePart
from janitor.run.announce import Announcer
from janitor.run.channel import Channel
from janitor.run.locked_out import PagesOfOwner
from janitor.run.stopping import Stop
from janitor.run.watch import Watch
from janitor.sinks.emf import Emf
from janitor.sinks.metric import MetricSink
from janitor.sinks.sns import Message, Topic
from janitor.temporary import temporary_folder
from janitor.tokens.fingerprint import fingerprint
from janitor.tokens.policy import Policy

# Formats that hold every finding, or the most, best first.
_FULL = ("json", "ndjson", "html", "csv")


def state_file(state: StateSettings) -> list[tuple[str, Path]]:
    """The file in which runs remember, where the user names one."""
    return [("--state-url", state.state_url.path)] if isinstance(state.state_url, SqliteUrl) else []


def metric_files(settings: NoticeSettings) -> list[tuple[str, Path]]:
    """The files that metrics go to."""
    return [(f"--metrics {target.format}={target.path}", target.path) for target in settings.metrics if target.path]


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
    check_state(state)


def check_state(state: StateSettings) -> None:
    """See that a path which begins in the present folder, as three slashes say, leads to a folder that is there.

    Raises:
        ConfigurationError: it does not: somebody may have meant the path from the root on.
    """
    url = state.state_url
    if isinstance(url, SqliteUrl) and not url.path.is_absolute() and not is_folder(url.path.parent):
        sentence = f"--state-url sqlite:///{url.path}: there is no folder {url.path.parent} in {_present_folder()}"
        raise ConfigurationError(
            sentence,
            f"make it, or give the path from the root on, with four slashes: sqlite:////{url.path}",
            "state-url",
        )


def _present_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "the present folder, which is gone"


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
    run_id: str,
    remembers: bool = True,
) -> Announcing | None:
    """Who announces what the run finds, and what it remembers; None where nothing is to be remembered.

    A run as of another time remembers nothing: its findings are not true yet.
    """
    if as_of is not None or not has_store(state, settings):
        return None
    table = reached.table
    fingerprint_of = partial(fingerprint, dialect=policy.dialect, secret=secret)
    watch = Watch(
        ledger_for(state, reached.aws),
        scope_of(table),
        now=now,
        thresholds=policy.thresholds,
        fingerprint_of=fingerprint_of,
        folder=temporary_folder(),
    )
    channel = Channel(
        topic=topic_of(settings, reached.home, stop),
        per_token=settings.per_token,
        digest=settings.digest,
        pointer=pointer_of(output, table, run_id),
        refusal=clock_refusal(table.skew_seconds),
    )
    announcer = Announcer(
        watch,
        channel,
        clock=time.time,
        stop=stop,
        pages_of_owner=owner_pages(reached),
        fingerprint_of=fingerprint_of,
        remembers=remembers,
    )
    return Announcing(announcer, watch)


def owner_pages(reached: Reached) -> PagesOfOwner | None:
    """Reads the rows of one owner; None where the table has no index for it."""
    if not reached.table.has_owner_index:
        return None
    return lambda owner: pages_of_owner(reached.aws.dynamodb, reached.table.name, owner, reached.budgets)


def tell_of_failure(
    settings: NoticeSettings, table: TableSettings, command: str, run_id: str, error: JanitorError
) -> SinkError | None:
    """Publish that a run came to no report, where there is a topic; why that failed, if it did."""
    if settings.sns_topic_arn is None or settings.digest == "never":
        return None
    made = failure_message(command, named(table), run_id, error.code, str(error))
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
        return SinkError(failure.sentence, failure.way_out, failure.code)
    return None


def metric_sinks(settings: NoticeSettings) -> list[MetricSink]:
    """Where the metrics go, none of them opened."""
    return [_metric_sink(target) for target in settings.metrics]


def _metric_sink(target: MetricsTarget) -> MetricSink:
    if target.path is None:
        return Emf(sys.stderr)
    from janitor.sinks.prometheus import Prometheus

    return Prometheus(target.path)


def topic_of(settings: NoticeSettings, aws: Aws, stop: Stop) -> Topic | None:
    """The topic that is published to, reached through this session; None where there is none."""
    if settings.sns_topic_arn is None:
        return None
    jitter = random.Random()  # noqa: S311  # spreads retries, guards nothing
    return Topic(aws.sns, settings.sns_topic_arn, stop.pause, jitter)


def pointer_of(output: OutputSettings, table: Table | TablePart | None, run_id: str) -> str | None:
    """Where a full report is, None for nowhere: in S3 if one is there, and in the format that holds most.

    `table` is None for a run of several.
    """
    full = [target for target in output.report if target.format in _FULL]
    if not full:
        return None
    place = min(full, key=lambda each: (not isinstance(each.place, S3Key), _FULL.index(each.format))).place
    place = expanded(place, table, run_id)
    return str(place if isinstance(place, S3Key) else place.absolute())


def clock_refusal(skew_seconds: int | None) -> Remark | None:
    """By a wrong clock a token would be announced at a wrong time, and then not at the right one."""
    if skew_seconds is None or abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return None
    message = f"nothing was announced: the local clock is {skew_seconds:+,} seconds off the server's; set it right"
    return Remark(where="clock", code="skewed", message=message)
