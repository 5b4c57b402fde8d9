"""Writes every report of a run: each outlet is a format and a sink. One that fails is dropped, and the others go on."""

from collections.abc import Callable, Iterable

import msgspec

from janitor.errors import SinkError
from janitor.logs import describe_bug, get_logger
from janitor.report.formats.interface import Format
from janitor.report.model import Finding, Outcome, Report
from janitor.sinks.interface import Sink
from janitor.sinks.stdout import Stdout

log = get_logger("janitor.report")


class Outlet(msgspec.Struct, frozen=True):
    """A report in one format, to one sink."""

    format: Format
    sink: Sink


class Outlets:
    """Every report of a run.

    Attributes:
        failures: why outlets were dropped.
        written: where reports have been written so far, without standard output.
    """

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._working = list(outlets)
        self._is_empty = not self._working
        self.written: list[str] = []
        self._streaming = [outlet for outlet in self._working if outlet.format.streams]
        self.failures: list[SinkError] = []

    @property
    def streams(self) -> bool:
        """Whether any outlet takes every finding as it is found."""
        return bool(self._streaming)

    @property
    def lists_findings(self) -> bool:
        """Whether any outlet takes the most urgent findings at the end."""
        return any(not outlet.format.streams for outlet in self._working)

    @property
    def prints_remarks(self) -> bool:
        """Whether a report with errors and warnings goes to standard output."""
        return any(isinstance(outlet.sink, Stdout) and outlet.format.shows_outcome for outlet in self._working)

    @property
    def is_exhausted(self) -> bool:
        """Whether all outlets have failed."""
        return not self._working and not self._is_empty

    def open(self) -> None:
        """Open every sink, which proves that it can be written.

        Raises:
            ConfigurationError: one cannot be written; the others are discarded.
        """
        try:
            for outlet in self._working:
                outlet.sink.open()
        except BaseException:
            self.discard()
            raise
        self._for_each(self._streaming, lambda outlet: outlet.sink.write(outlet.format.head()))

    def write_lines(self, findings: list[Finding]) -> None:
        """Write the findings of a page to the outlets that stream, in one write."""
        self._for_each(self._streaming, lambda outlet: outlet.sink.write(outlet.format.lines(findings)))

    def finish(self, report: Report, *, is_complete: bool) -> None:
        """Write what is left and make every report visible.

        Args:
            report: the report.
            is_complete: whether all tables were read to their end. If not, formats that cannot say so are dropped.
        """

        def finish(outlet: Outlet) -> None:
            if not is_complete and not _can_tell(outlet.format, report):
                sentence = f"{outlet.sink.target}: the scan broke off, and a report in this format cannot say so"
                raise SinkError(sentence, "take another format, or run it again", "incomplete")
            outlet.sink.write(outlet.format.tail(report))
            outlet.sink.commit()
            log.debug("report.written", target=outlet.sink.target)
            if not isinstance(outlet.sink, Stdout):
                self.written.append(outlet.sink.target)

        self._for_each(self._working, finish)

    def finish_skipped(self, report: Report) -> None:
        """Finish a run that left a table to another run. Formats that cannot say so leave the last report in place."""
        for outlet in tuple(self._working):
            if not _can_tell(outlet.format, report):
                outlet.sink.discard()
                self._working.remove(outlet)
        self.finish(report, is_complete=False)

    def discard(self) -> None:
        """Discard what is not visible yet."""
        for outlet in self._working:
            outlet.sink.discard()

    def _for_each(self, outlets: list[Outlet], action: Callable[[Outlet], None]) -> None:
        for outlet in tuple(outlets):
            try:
                action(outlet)
            except SinkError as error:
                self._drop(outlet, error)
            except Exception as error:  # a bug in one format must not stop the other reports
                log.exception("report.bug", target=outlet.sink.target)  # without its text
                self._drop(outlet, SinkError(f"{outlet.sink.target}: {describe_bug(error)}", code="bug"))

    def _drop(self, outlet: Outlet, error: SinkError) -> None:
        log.error("report.not_written", target=outlet.sink.target, error=str(error))
        outlet.sink.discard()
        self.failures.append(error)
        self._working.remove(outlet)
        if outlet in self._streaming:
            self._streaming.remove(outlet)


def _can_tell(format_: Format, report: Report) -> bool:
    """Whether a report in this format shows which tables were not read.

    If no table was read at all, that means the run's outcome.
    """
    some_was_read = report.is_of_several and report.run.outcome is not Outcome.SKIPPED
    return format_.shows_each_outcome if some_was_read else format_.shows_outcome
