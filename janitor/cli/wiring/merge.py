"""The merging of reports that stand in files: where they are read from, and where the merged one goes."""

import dataclasses
import io
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

from janitor import __version__
from janitor.cli.running import exit_code, prepared, say_failures
from janitor.cli.signals import stoppable
from janitor.cli.wiring.logging import start_logging
from janitor.cli.wiring.merge_notices import announced, announcer_of
from janitor.cli.wiring.notices import state_file
from janitor.cli.wiring.outlets import check_reports, outlets_of
from janitor.cli.wiring.reach import session
from janitor.config.merge import MergeCommand
from janitor.config.table import TableSettings
from janitor.dynamodb.client import Aws
from janitor.errors import ConfigurationError, ExitCode
from janitor.logs import get_logger
from janitor.report.merge import is_whole, merged
from janitor.report.model import Outcome, Report
from janitor.report.reader import report_in
from janitor.run.announce import Announcer
from janitor.run.job import Result
from janitor.run.outlets import Outlets
from janitor.run.remarks import log_remarks
from janitor.run.stopping import Stop
from janitor.sinks.s3 import S3Folder

log = get_logger("janitor.report")

_S3 = "s3://"
_STDIN = "-"


def merged_files(files: Sequence[str], given: MergeCommand) -> int:
    """Merge the reports in these files, and say what they said went wrong.

    Args:
        files: paths, `s3://bucket/key`, or `-` for standard input.
        given: where the merged report goes.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: a file is no report, they are not of one run, or a report's place cannot be written.
        AwsError: S3 refused or could not be reached.
    """
    run_id = start_logging(given.logs)
    read = [(file, Path(file)) for file in files if file != _STDIN and not file.startswith(_S3)]
    check_reports(given.output, [*read, *state_file(given.state)])
    with stoppable() as stop:
        files_of = _Files(given)
        report = prepared(lambda: files_of.merged(files, run_id), stop)
        outlets = outlets_of(given.output, report.table, lambda: files_of.aws().s3, run_id, stop)
        announcer = announcer_of(given, report, files_of.aws, run_id, stop)
        result = Result(_told(report, outlets, announcer, stop), outlets.failures)
    log_remarks(result.report.errors, result.report.warnings, is_printed=outlets.prints_remarks)
    say_failures(result)
    return _exit_code(result, stop, given.output.fail_on)


class _Files:
    """Reads reports; AWS is reached only where one is in S3, and then once."""

    def __init__(self, given: MergeCommand) -> None:
        self._most = given.output.max_findings
        self.aws = cache(lambda: _session(given))

    def merged(self, files: Sequence[str], run_id: str) -> Report:
        reports = [self._read(file) for file in files]
        names = ["standard input" if file == _STDIN else file for file in files]
        return merged(reports, run_id=run_id, version=__version__, max_findings=self._most, names=names)

    def _read(self, file: str) -> Report:
        if file == _STDIN:
            return report_in("standard input", _stdin(), self._most)
        if file.startswith(_S3):
            return report_in(file, io.BufferedReader(io.BytesIO(self._fetched(file))), self._most)
        try:
            with Path(file).open("rb") as stream:
                return report_in(file, stream, self._most)
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be read: {error.strerror}", "check the path") from None

    def _fetched(self, file: str) -> bytes:
        bucket, _, key = file.removeprefix(_S3).partition("/")
        if not bucket or not key:
            raise ConfigurationError(f"{file} is not s3://BUCKET/KEY", "name one object")
        return S3Folder(self.aws().s3, bucket, "").get(key)


def _stdin() -> io.BufferedReader:
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed", "give the name of a file")
    return cast("io.BufferedReader", sys.stdin.buffer)


def _session(given: MergeCommand) -> Aws:
    return session(TableSettings(**dataclasses.asdict(given.aws)))


def _told(report: Report, outlets: Outlets, announcer: Announcer | None, stop: Stop) -> Report:
    """Announce what is due, and hand the report out with what came of that."""
    prepared(outlets.open, stop)
    try:
        if report.run.outcome is Outcome.SKIPPED:
            outlets.pass_over(report)
            return report
        if announcer is not None:
            report = announced(report, announcer, stop)
        if outlets.streams and report.findings_omitted:
            # A report such as csv has no place to say so.
            log.warning("findings.cut", omitted=report.findings_omitted, way_out="raise --max-findings")
        outlets.tell(report, is_complete=is_whole(report))
    except BaseException:
        outlets.discard()
        raise
    return report


def _exit_code(result: Result, stop: Stop, fail_on: tuple[str, ...]) -> int:
    is_partial = result.report.run.outcome in (Outcome.FAILED, Outcome.INTERRUPTED)
    return ExitCode.FAILED if is_partial else exit_code(result, stop, fail_on)
