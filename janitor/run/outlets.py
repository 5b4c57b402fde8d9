"""Formats coupled to sinks: reports on their way out. One that fails is dropped, and the others go on."""

from collections.abc import Callable, Iterable

import msgspec

from janitor.errors import SinkError
from janitor.logs import bug_sentence, get_logger
from janitor.report.formats.interface import Format
from janitor.report.model import Finding, Outcome, Report
from janitor.sinks.interface import Sink
from janitor.sinks.stdout import Stdout

log = get_logger("janitor.report")


class Outlet(msgspec.Struct, frozen=True):
    """One format to one place."""

    format: Format
    sink: Sink


class Outlets:
    """Every report of a run.

    Attributes:
        failures: what became of the outlets that were dropped.
        written: where reports are by now, standard output aside.
    """

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._working = list(outlets)
        self._are_none = not self._working
        self.written: list[str] = []
        self._streaming = [outlet for outlet in self._working if outlet.format.streams]
        self.failures: list[SinkError] = []

    @property
    def streams(self) -> bool:
        """Whether any of them wants every finding as it is found."""
        return bool(self._streaming)

    @property
    def keep(self) -> bool:
        """Whether any of them wants the findings at the end."""
        return any(not outlet.format.streams for outlet in self._working)

    @property
    def prints_remarks(self) -> bool:
        """Whether one of them is standard output, in a format that has errors and warnings in it."""
        return any(isinstance(outlet.sink, Stdout) and outlet.format.tells_the_outcome for outlet in self._working)

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nobody left to report to, of those there were."""
        return not self._working and not self._are_none

    def open(self) -> None:
        """Prove every place writable.

        Raises:
            ConfigurationError: one cannot be written; nothing is left behind in the others.
        """
        try:
            for outlet in self._working:
                outlet.sink.open()
        except BaseException:
            self.discard()
            raise
        self._each(self._streaming, lambda outlet: outlet.sink.write(outlet.format.head()))

    def lines(self, findings: list[Finding]) -> None:
        """Hand the findings of a page to the outlets that stream: one write a page, not one a finding."""
        self._each(self._streaming, lambda outlet: outlet.sink.write(outlet.format.lines(findings)))

    def finish(self, report: Report, *, is_complete: bool) -> None:
        """Write what is left and make every report visible.

        Args:
            report: the report.
            is_complete: whether all of the table was read; if not, a format that cannot say so is not made visible.
        """

        def finish(outlet: Outlet) -> None:
            if not is_complete and not _tells(outlet.format, report):
                sentence = f"{outlet.sink.target}: the scan broke off, and a report in this format cannot say so"
                raise SinkError(sentence, "take another format, or run it again", "incomplete")
            outlet.sink.write(outlet.format.tail(report))
            outlet.sink.commit()
            log.debug("report.written", target=outlet.sink.target)
            if not isinstance(outlet.sink, Stdout):
                self.written.append(outlet.sink.target)

        self._each(self._working, finish)

    def pass_over(self, report: Report) -> None:
        """As `finish` of a run that left a table to another run; a format that cannot say so leaves what is there."""
        for outlet in tuple(self._working):
            if not _tells(outlet.format, report):
                outlet.sink.discard()
                self._working.remove(outlet)
        self.finish(report, is_complete=False)

    def discard(self) -> None:
        """Leave nothing half-written behind."""
        for outlet in self._working:
            outlet.sink.discard()

    def _each(self, outlets: list[Outlet], action: Callable[[Outlet], None]) -> None:
        for outlet in tuple(outlets):
            try:
                action(outlet)
            except SinkError as error:
                self._drop(outlet, error)
            except Exception as error:  # it must not take the other reports with it
                log.exception("report.bug", target=outlet.sink.target)  # without its text
                self._drop(outlet, SinkError(f"{outlet.sink.target}: {bug_sentence(error)}", code="bug"))

    def _drop(self, outlet: Outlet, error: SinkError) -> None:
        log.error("report.not_written", target=outlet.sink.target, error=str(error))
        outlet.sink.discard()
        self.failures.append(error)
        self._working.remove(outlet)
        if outlet in self._streaming:
            self._streaming.remove(outlet)


def _tells(form: Format, report: Report) -> bool:
    """Whether a reader of this format sees what was not read. Where nothing was, an old report is better than none."""
    some_was_read = report.is_of_several and report.run.outcome is not Outcome.SKIPPED
    return form.tells_of_each_table if some_was_read else form.tells_the_outcome
