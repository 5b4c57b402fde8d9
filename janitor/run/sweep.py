"""The second half of a sweep: the finished plan, through the guards, to an outcome for every row.

plan closed ──> guards ──refuse──────────────┐
│ pass                     v
confirm, archive opened ──> carried out for real, or for show ──> findings with their outcomes
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from janitor.archive.archive import Archive
from janitor.archive.plan import UNKNOWN, Header, Plan, PlannedRow, Population
from janitor.errors import SinkError
from janitor.logs import get_logger
from janitor.readers.interface import FoundRow
from janitor.readers.tally import Tally
from janitor.report.model import Deletion, Remark
from janitor.run.carry_out import Candidate, CarryOut, ForShow, close_archive
from janitor.run.findings import Findings
from janitor.run.guards import Limits, Situation, refusal, refusals
from janitor.run.progress import Progress
from janitor.run.swept import Swept
from janitor.stopping import TELL_SECONDS, Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.tokens.classify import Classification, State
from janitor.tokens.expiration import read_expiration
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.protection import misread_patterns
from janitor.tokens.row import row_of, text_of

log = get_logger("janitor.run")

_TOLD_AT_ONCE = 500
# Enum's own look-up is slow, and every row of a plan asks.
_STATES = {state.value: state for state in State}
_GONE = frozenset({DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE})


class Consent(Protocol):
    """Somebody's word that rows may be deleted."""

    def problem(self) -> str | None:
        """Why nobody can be asked, and the way out; None where somebody can, or need not be."""

    def is_given(self, rows: int, oldest: int, newest: int) -> bool:
        """Ask, unless that was answered before: so many rows, whose expiries lie between these two UNIX seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep is given besides what a scan is.

    Attributes:
        is_enabled: whether to delete; a dry run otherwise.
        header: the first line of the plan and of the archive.
        plan: the plan, not opened yet.
        keeps_plan: whether the user asked for the plan.
        refused_plan: where a plan that nobody asked for goes once it was refused, in the place of the table's last one;
            None for nowhere.
        reviewed_plan: the file that is being carried out; None for a sweep, which makes its own.
        planned_rows: reads the plan back once it is closed.
        archive: where rows are kept before they are deleted.
        archive_problem: why the archive could not be written, as far as can be told without writing.
        limits: what the guards allow.
        population: what is to be taken for the table, from what this run has read; None for unknown.
        consent: asks whoever sits at the terminal.
        for_real: the way to carry the plan out for real, once the archive is open.
        announced: of rows, expiries by fingerprint, those that were announced long enough ago; None where that does not
            matter.
        lease: the right to sweep the table; None where no store keeps it.
        write_units: what the deletes cost so far.
        progress: who watches the deletes, from how many there are.
        skew_seconds: the local clock less the server's.
        as_of: whether rows are judged as of another time than the present.
    """

    is_enabled: bool
    header: Header
    plan: Plan
    keeps_plan: bool
    refused_plan: Path | None
    reviewed_plan: Path | None
    planned_rows: Callable[[], Iterator[PlannedRow]]
    archive: Archive
    archive_problem: Callable[[], str | None]
    limits: Limits
    population: Callable[[Population], Population | None]
    consent: Consent
    for_real: Callable[[], CarryOut]
    announced: Callable[[Mapping[str, int]], AbstractSet[str]] | None
    lease: LeaseKeeper | None
    write_units: Callable[[], float]
    progress: Callable[[int], Progress]
    skew_seconds: int | None
    as_of: bool

    def abandon(self) -> None:
        """Let go of the archive and of the plan, after something that was not foreseen."""
        self.archive.abandon()
        if self.keeps_plan:
            self.plan.leave()
        else:
            self.plan.remove()

    def finish(
        self,
        tally: Tally,
        findings: Findings,
        stop: Stop,
        *,
        is_complete: bool,
        lease_problem: str | None,
        unused_patterns: Sequence[str] = (),
    ) -> Swept:
        """Close the plan, ask the guards, carry it out, and tell every row of it with its outcome.

        Args:
            tally: what the scan counted.
            findings: told of every row of the plan.
            stop: a request ends the deletes, and a few seconds later the telling.
            is_complete: whether the scan reached the table's end; without that nothing is deleted.
            lease_problem: why the table's lease was not to be had; None where it is held, or none is needed.
            unused_patterns: those of protected users that have fitted the owner of no row.
        """
        swept = Swept()
        unused = tuple(unused_patterns)
        population = self.population(
            Population(scanned=tally.scanned, dated=tally.dated, complete=is_complete, unused_patterns=unused)
        )
        try:
            self.plan.close(population or UNKNOWN)
        except SinkError as error:
            swept.errors.append(Remark(where="plan", code=error.code, message=str(error)))
            is_complete = False
        if is_complete:
            _ask_guards(self, tally, population, swept, lease_problem=lease_problem, unused_patterns=unused)
        may_delete = self.is_enabled and is_complete and not swept.is_refused and self.plan.rows > 0
        carry_out = self.for_real() if may_delete else ForShow()
        if may_delete:
            log.info("deletes.started", rows=self.plan.rows)
        outcomes = _carry_out(self, carry_out, tally=tally, findings=findings, stop=stop)
        if may_delete:
            log.info("deletes.finished", **{outcome.value: count for outcome, count in outcomes.items()})
        swept.untold = self.plan.rows - outcomes.total()
        if swept.untold:
            message = f"{swept.untold:,} planned rows that nothing was done with are not listed"
            swept.warnings.append(Remark(where="report", code="untold", message=message))
        swept.errors += carry_out.errors
        if may_delete:
            swept.errors += close_archive(self.archive, population or UNKNOWN)
        if self.is_enabled and is_complete and not (swept.is_refused or swept.errors or stop.is_requested()):
            _remove_outdated_plan(self)
        swept.deletion = _deletion(self, tally, outcomes, has_archive=may_delete, plan=_kept_plan(self, swept))
        return swept


def _ask_guards(
    sweep: Sweep,
    tally: Tally,
    population: Population | None,
    swept: Swept,
    *,
    lease_problem: str | None,
    unused_patterns: Sequence[str],
) -> None:
    situation = Situation(
        planned=sweep.plan.rows,
        protected=tally.protected,
        population=population,
        skew_seconds=sweep.skew_seconds,
        as_of=sweep.as_of,
        lease_problem=lease_problem,
        archive_problem=sweep.archive_problem(),
        consent_problem=sweep.consent.problem() if sweep.is_enabled else None,
        misread=misread_patterns(
            unused_patterns, (text_of(row_of(planned.item).username) for planned in sweep.planned_rows())
        ),
    )
    reasons = list(refusals(situation, sweep.limits, is_dry_run=not sweep.is_enabled))
    if not sweep.is_enabled:
        swept.warnings += reasons
        return
    if not reasons and tally.planned_expiries and not sweep.consent.is_given(sweep.plan.rows, *tally.planned_expiries):
        reasons = [Remark(where="guard", code="not-confirmed", message="nothing was deleted: it was not confirmed")]
    if not reasons and sweep.plan.rows:
        reasons = _opened(sweep)
    swept.errors += reasons
    swept.is_refused = bool(reasons)


def _opened(sweep: Sweep) -> list[Remark]:
    """Open the archive: the last guard, because it leaves a file behind."""
    try:
        sweep.archive.open(sweep.header)
    except SinkError as error:
        return [refusal("archive", f"{error}, or --no-archive")]
    return []


def _carry_out(
    sweep: Sweep,
    carry_out: CarryOut,
    *,
    tally: Tally,
    findings: Findings,
    stop: Stop,
) -> Counter[DeletionOutcome]:
    """Every row's outcome, each told; after a request to stop, rows that nothing was sent for may be left out."""
    outcomes: Counter[DeletionOutcome] = Counter()
    told: list[FoundRow] = []
    progress = sweep.progress(sweep.plan.rows)
    candidates = (Candidate(planned, row_of(planned.item)) for planned in sweep.planned_rows())
    try:
        for candidate, outcome in carry_out.settle(candidates):
            if outcome is DeletionOutcome.PLANNED and stop.is_over(TELL_SECONDS):
                break
            outcomes[outcome] += 1
            verdict = _verdict(candidate)
            if outcome not in _GONE:
                tally.owners.add(candidate.row, verdict)
            told.append(FoundRow(candidate.row, verdict, outcome))
            if len(told) == _TOLD_AT_ONCE:
                progress.advance(len(told))
                findings.tell(told)
                told = []
    finally:
        progress.finish()
    findings.tell(told)
    return outcomes


def _verdict(candidate: Candidate) -> Classification:
    """What a row of the plan is at the run's time: by then no gate accepted it, or it would not have been planned."""
    expiration = candidate.row.expiration
    expiry = read_expiration(expiration)[0] if expiration is not None else None
    return Classification(_STATES[candidate.planned.state], (), expiry, ())


def _kept_plan(sweep: Sweep, swept: Swept) -> Path | None:
    """The plan, where the user asked for it or may want to look at what was refused; else it is taken away."""
    if sweep.keeps_plan:
        return sweep.plan.path
    if not swept.is_refused or sweep.reviewed_plan is not None:
        sweep.plan.remove()
        return sweep.reviewed_plan if swept.is_refused else None
    why = "no disk here outlives the run"
    if sweep.refused_plan is not None:
        try:
            sweep.plan.move(sweep.refused_plan)
        except SinkError as error:
            why = str(error)
        else:
            return sweep.plan.path
    sweep.plan.remove()
    message = f"the plan was not kept: {why}; to look at it, make it anew with --plan PATH, as a dry run"
    swept.warnings.append(Remark(where="plan", code="not-kept", message=message))
    return None


def _remove_outdated_plan(sweep: Sweep) -> None:
    """Take away the table's plan that an earlier sweep was refused, once a sweep has done its work."""
    outdated = sweep.refused_plan
    if outdated is None or sweep.reviewed_plan is not None or not outdated.is_file():
        return
    if outdated.resolve() == sweep.plan.path.resolve():
        return
    try:
        outdated.unlink()
    except OSError as error:
        log.warning("plan.not_removed", path=str(outdated), error=error.strerror)
    else:
        log.info("plan.removed", path=str(outdated), reason="a later sweep of the table was not refused")


def _deletion(
    sweep: Sweep, tally: Tally, outcomes: Counter[DeletionOutcome], *, has_archive: bool, plan: Path | None
) -> Deletion:
    return Deletion(
        enabled=sweep.is_enabled,
        planned=sweep.plan.rows,
        protected=tally.protected,
        deleted=outcomes[DeletionOutcome.DELETED],
        changed=outcomes[DeletionOutcome.CHANGED],
        already_gone=outcomes[DeletionOutcome.ALREADY_GONE],
        failed=outcomes[DeletionOutcome.FAILED],
        waiting=tally.waiting,
        plan=str(plan.absolute()) if plan else None,
        archive=sweep.archive.location if has_archive else None,
    )
