"""Who hears of a run: whether the settings go together, the files of it, the metrics, the rows of an owner."""

import sys
from pathlib import Path

from janitor.dynamodb.owners import PagesOfOwner, pages_of_owner
from janitor.errors import ConfigurationError
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.parsers import MetricsTarget
from janitor.settings.store_url import SqliteUrl
from janitor.sinks.metric import MetricSink
from janitor.stopping import REPORT_SECONDS, Stop
from janitor.wiring.places import is_folder
from janitor.wiring.table import OpenTable


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
    if requires_notice and settings.sns_topic_arn is None:
        way_out = "give --sns-topic-arn ARN; with --digest never this run tells it nothing itself"
        raise ConfigurationError("--require-notice needs to know which topic has to have heard of a token", way_out)
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


def owner_pages(reached: OpenTable) -> PagesOfOwner | None:
    """Reads the rows of one owner; None where the table has no index for it."""
    if not reached.table.has_owner_index:
        return None
    return lambda owner: pages_of_owner(reached.aws.dynamodb, reached.table.name, owner, reached.budgets)


def metric_sinks(settings: NoticeSettings, stop: Stop) -> list[MetricSink]:
    """Where the metrics go, none of them opened."""
    return [_metric_sink(target, stop) for target in settings.metrics]


def _metric_sink(target: MetricsTarget, stop: Stop) -> MetricSink:
    if target.path is None:
        from janitor.sinks.emf import Emf

        return Emf(sys.stderr)
    from janitor.sinks.prometheus import Prometheus

    return Prometheus(target.path, lambda: stop.is_over(REPORT_SECONDS))
