"""The outputs of a run: reports, notices, metrics, logs, and what is remembered for the next run."""

from dataclasses import dataclass

from janitor.settings.notice_text import FIELDS, NoticeText, parse_contact, parse_notice_text
from janitor.settings.parsers import (
    FORMATS,
    NO_REPORT,
    MetricsTarget,
    NotifyFile,
    NotifyUrl,
    ReportTarget,
    parse_count,
    parse_heartbeat_url,
    parse_job,
    parse_metrics,
    parse_notify,
    parse_owner_address,
    parse_report,
    parse_topic_arn,
    parse_usage_table,
)
from janitor.settings.setting import Settings, setting
from janitor.settings.store_url import DynamoDbUrl, SqliteUrl, parse_state_url
from janitor.tokens.duration import parse_duration

# `janitor serve` sets it for its runs, which add the name of their job to their log lines.
JOB_VARIABLE = "JANITOR_JOB"
# Where LISA 6.1.1 and later keeps the name of its usage table, with its default prefix.
USAGE_PARAMETER = "/prod/prod/lisa/table/usage-metrics"
CHATBOT = "chatbot"
# The value of --sns-format that gives mailboxes a text.
MAIL = "mail"
STATES_TO_FAIL_ON = ("expiring", "expired", "stale", "permanent", "malformed", "legacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings(Settings):
    """Which reports are written, and where they go."""

    format: str | None = setting(
        "Report on standard output; none for no report, where the log's last line, run.finished, is enough.",
        choices=(*FORMATS, NO_REPORT),
        default_words="table on a terminal, json otherwise",
    )
    report: tuple[ReportTarget, ...] = setting(
        "Also write a report to a file or to S3; it appears whole or not at all. Repeatable. The path or key may "
        "contain {table}, {region}, {account}, {date} and {run_id}.",
        metavar="FORMAT=PATH|S3",
        parse=parse_report,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    max_findings: int = setting(
        "How many findings a report lists at most; ndjson and csv list all.",
        metavar="N",
        parse=parse_count,
        default="10000",
    )
    fail_on: tuple[str, ...] = setting(
        "End with exit code 3 when any row is in this state. Repeatable.", choices=STATES_TO_FAIL_ON, is_repeatable=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeenSettings(Settings):
    """Whether it is looked up when owners were last seen."""

    last_seen: str | None = setting(
        "Look up when each owner was last seen, and who is idle: in LISA's usage table, given by its name or by the "
        f"parameter that holds it; without a value {USAGE_PARAMETER}.",
        metavar="[NAME|PATH]",
        parse=parse_usage_table,
        value_if_bare=USAGE_PARAMETER,
    )
    idle_after: int = setting(
        "An owner whose token works is idle if not seen for this long, with --last-seen.",
        metavar="DURATION",
        parse=parse_duration,
        default="90d",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettings(Settings):
    """Who is notified of a run: the topic, metrics and the heartbeat."""

    sns_topic_arn: str | None = setting(
        "SNS topic for notices: one digest per run, when there is something to say.",
        metavar="ARN",
        parse=parse_topic_arn,
    )
    notify: tuple[NotifyUrl | NotifyFile, ...] = setting(
        "Also send the digest to a service of Apprise: slack://…, mailto://… and its like, or file:PATH for a file "
        "with a URL on each line. Repeatable. The URL is a secret: give it as a variable or a file.",
        metavar="URL|file:PATH",
        parse=parse_notify,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    per_token: bool = setting("Also publish a message for each token that crosses a threshold.", is_switch=True)
    owner_address: str | None = setting(
        "The owner's mail address: a template like {username}@example.com, or a file with a line username,address for "
        "each. With --per-token it goes with messages to the topic, and mailto:// services write to it.",
        metavar="TEMPLATE|FILE",
        parse=parse_owner_address,
    )
    contact: str | None = setting(
        "Whom owners ask about their tokens, for messages of --per-token: a name, a channel, an address.",
        parse=parse_contact,
        default_words="the people who run LISA",
    )
    notice_text: NoticeText | None = setting(
        "What an owner is to do, in messages of --per-token: how a token is renewed at your site. It may have lines "
        f"and the fields {', '.join(f'{{{field}}}' for field in FIELDS)}.",
        parse=parse_notice_text,
        default_words="how LISA does it",
    )
    sns_format: str = setting(
        "What subscribers get of messages of --per-token: json is one JSON text for everybody, with attributes for "
        "filter policies; mail is a text for mailboxes and the JSON for the others, but SNS then delivers no "
        "attributes.",
        choices=("json", MAIL),
        default="json",
    )
    digest: str = setting("When the digest is published.", choices=("news", "always", "never"), default="news")
    digest_format: str = setting(
        "chatbot adds what Amazon Q Developer in chat applications (AWS Chatbot) shows in Slack and Teams, for "
        "subscribers by HTTPS; mailboxes and queues get the same as ever.",
        choices=("standard", CHATBOT),
        default="standard",
    )
    metrics: tuple[MetricsTarget, ...] = setting(
        "Metrics of the run: emf for a line of CloudWatch's embedded metric format on standard error, or "
        "prometheus=PATH for a textfile collector. Repeatable.",
        metavar="emf|prometheus=PATH",
        parse=parse_metrics,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    job: str | None = setting(
        "What the metrics call the job, in their label or dimension `job`.",
        metavar="NAME",
        parse=parse_job,
        default_words="the schedule file's name, or the command",
    )
    heartbeat_url: str | None = setting(
        "Called at the start, at success and at failure, as healthchecks expects it: URL/start, URL, URL/fail.",
        metavar="URL",
        parse=parse_heartbeat_url,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings(Settings):
    """Where runs remember what was announced and found."""

    state_url: SqliteUrl | DynamoDbUrl | None = setting(
        "Where runs remember what was announced and found: sqlite:///PATH or dynamodb://TABLE.",
        metavar="URL",
        parse=parse_state_url,
        default_words="none, or where anybody is notified a file in the state directory",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings(Settings):
    """What is logged on standard error."""

    log_format: str | None = setting(
        "Format of the log lines.", choices=("json", "console"), default_words="console on a terminal, json otherwise"
    )
    log_level: str | None = setting(
        "The lowest level that is logged.",
        choices=("debug", "info", "warning", "error"),
        default_words="warning on a terminal, info otherwise",
    )
