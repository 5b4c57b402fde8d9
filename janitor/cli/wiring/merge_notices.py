"""The digest of a merged report: what its findings make due, and was not announced by an earlier run."""

import dataclasses
import time
from collections.abc import Callable
from functools import partial

from msgspec import structs

from janitor.cli.running import prepared
from janitor.cli.wiring.announcing import clock_refusal, pointer_of, topic_of
from janitor.cli.wiring.notices import check_notices
from janitor.cli.wiring.stores import ledger_for, scope_of, turn_for
from janitor.config.merge import MergeCommand
from janitor.config.output import NoticeSettings
from janitor.dynamodb.client import Aws
from janitor.report.merge import is_whole, last_judged_at
from janitor.report.model import Remark, Report
from janitor.run.announce import Announcer
from janitor.run.channel import Channel
from janitor.run.rehearsal import ReadOnlyLedger, Rehearsal
from janitor.run.stopping import Stop
from janitor.run.watch import Watch, WatchTerms
from janitor.temporary import temporary_folder
from janitor.tokens.fingerprint import fingerprint

# Commands of which a run that does not delete is a dry one. A scan is no dry run of anything.
_DELETING = frozenset({"sweep", "apply"})
# A report does not say by which key its fingerprints were made.
_KEY = "merged"


def announcer_of(
    given: MergeCommand, report: Report, aws: Callable[[], Aws], run_id: str, stop: Stop
) -> Announcer | None:
    """Who announces what a merged report tells; None where no topic is named.

    It leaves nothing for the next run to be held against: the reports may be older than what the last run left. Of the
    reports of a dry run it only says who would hear of it.

    Raises:
        ConfigurationError: the report is as of another time; or AWS cannot be reached as the settings say.
    """
    settings = NoticeSettings(**dataclasses.asdict(given.notices))
    if settings.sns_topic_arn is None:
        return None
    as_of = report.policy.as_of
    check_notices(settings, given.state, requires_notice=False, as_of=None if as_of is None else int(as_of.timestamp()))
    table, dialect = report.table, report.policy.dialect
    assert table is not None and dialect is not None  # noqa: S101, PT018  # it is of one table's shards
    # Never asked: it names rows, and here are findings.
    fingerprint_of = partial(fingerprint, dialect=dialect)
    is_dry_run = report.run.dry_run and report.run.command in _DELETING
    channel = Channel(
        topic=None if is_dry_run else topic_of(settings, aws(), stop),
        per_token=False,
        digest=settings.digest,
        pointer=pointer_of(given.output, report.table, run_id),
        audience=settings.sns_topic_arn,
        refusal=clock_refusal(report.clock.skew_seconds),
    )
    terms = WatchTerms(
        scope=scope_of(table),
        now=last_judged_at([report]),
        thresholds=report.policy.thresholds_seconds,
        grace=report.policy.grace_seconds,
        naming=f"{dialect.value}/{_KEY}",
        profile=_KEY,
        audiences=channel.audiences,
        is_rehearsal=is_dry_run,
    )
    ledger = ledger_for(given.state, aws)
    watch = Watch(
        ReadOnlyLedger(ledger) if is_dry_run else ledger,
        terms,
        fingerprint_of=fingerprint_of,
        folder=temporary_folder(),
    )
    return (Rehearsal if is_dry_run else Announcer)(
        watch,
        channel,
        clock=time.time,
        stop=stop,
        pages_of_owner=None,
        fingerprint_of=fingerprint_of,
        remembers=False,
        sees_all=True,
        turn=None if is_dry_run else turn_for(given.state, aws(), table, settings.sns_topic_arn, run_id, stop=stop),
    )


def announced(report: Report, announcer: Announcer, stop: Stop) -> Report:
    """Announce what is due of the findings that the report lists; the report with what came of that."""
    try:
        prepared(announcer.open, stop)
        announcer.take(report.findings)
        return announcer.finish(_with_cut(report), is_complete=is_whole(report))
    finally:
        announcer.close()


def _with_cut(report: Report) -> Report:
    if not report.findings_omitted:
        return report
    message = (
        f"{report.findings_omitted:,} findings that are not listed were not announced; "
        "give ndjson reports, and a --max-findings that has room for all"
    )
    remark = Remark(where="notices", code="not-listed", message=message)
    return structs.replace(report, warnings=[*report.warnings, remark])
