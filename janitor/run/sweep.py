"""The second half of a sweep: check the finished plan, execute it, and report an outcome for every row.

close plan ──> guards ──refuse──────────────────────────┐
                 │ pass                                 v
                 └──> confirm, open archive ──> spare owners let in since ──> execute ──> findings with their outcomes
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from janitor.archive.archive import Archive
from janitor.archive.plan import PlanHeader, PlanWriter, ScanFacts
from janitor.archive.plan_reader import ReadRow
from janitor.errors import SinkError
from janitor.logs import get_logger
from janitor.readers.interface import JudgedRow
from janitor.readers.tally import Tally
from janitor.report.build import verdict_urgency
from janitor.report.deletion_plan import MAX_LISTED, list_protected
from janitor.report.model import Deletion, Finding, GuardPart, Remark
from janitor.run.finding_collector import FindingCollector, make_shortlist
from janitor.run.guards import (
    GuardedPlan,
    GuardInputs,
    check_guards,
    list_refusals,
    refuse_unconfirmed,
    refuse_unwritable,
)
from janitor.run.narrowing_remarks import build_narrowing_remarks
from janitor.run.plan_executor import CandidateOutcomes, DryRunExecutor, PlanExecutor
from janitor.run.progress import NoProgress, Progress
from janitor.run.sweep_result import SparedOwners, SweepResult
from janitor.stopping import RECORD_SECONDS, Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.tokens.classify import State, Verdict
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.expiration import read_expiration
from janitor.tokens.lockout import UNLOCKS_OWNER
from janitor.tokens.protection import count_misread_patterns
from janitor.tokens.row import text_of
from janitor.tokens.words import format_count

log = get_logger("janitor.run")

_REPORT_BATCH = 500
# After how many rows the progress moves on: small sweeps have one, too.
_PROGRESS_BATCH = 25
# Enum's own look-up is slow, and every row of a plan asks.
_STATES = {state.value: state for state in State}
_GONE = frozenset({DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE})


class PlanToConfirm(NamedTuple):
    """A plan that somebody is asked about.

    Attributes:
        rows: how many rows it has.
        expiries: the UNIX seconds between which their expiries lie; None if none has one.
        undated: how many of them have no date.
        protected: how many more it would have if they were not protected.
        list_findings: lists the first of its rows in the order of the report, then the first protected ones.
        archive: where the rows go first; None for nowhere.
        restore_command: undoes the deletes; None without an archive.
    """

    rows: int
    expiries: tuple[int, int] | None
    undated: int
    protected: int
    list_findings: Callable[[], list[Finding]]
    archive: str | None
    restore_command: str | None


class Consent(Protocol):
    """Asks whether rows may be deleted."""

    def find_problem(self) -> str | None:
        """Find why nobody can be asked, and what to do; None if somebody can, or need not be asked."""

    def ask(self, plan: PlanToConfirm) -> bool:
        """Ask whether the rows of the plan may be deleted. If the answer was given before the run, nobody is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """The plan of a sweep, and what becomes of its file.

    Attributes:
        writer: the plan, not opened yet.
        header: its first line, and that of the archive.
        read_rows: reads it back once it is closed.
        is_requested: whether the user asked for the file.
        refused_path: where a plan that was refused is kept although the user did not ask for it, replacing the last
            one; None if it is not kept.
        reviewed_path: the plan file that is applied; None for a sweep, which makes its own plan.
    """

    writer: PlanWriter
    header: PlanHeader
    read_rows: Callable[[], Iterator[ReadRow]]
    is_requested: bool
    refused_path: Path | None = None
    reviewed_path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep needs, besides what a scan needs.

    Attributes:
        is_enabled: whether to delete; False for a dry run.
        plan: the plan, and what becomes of its file.
        archive: where rows are kept before they are deleted.
        guards: what the guards are given.
        consent: asks the user to confirm.
        make_executor: makes what deletes; called once the archive is open.
        find_announced: finds the rows, given as expiries by fingerprint, that were announced long enough ago; returns
            their fingerprints. None if rows need no notice.
        lease: the right to sweep the table; None if no store keeps it.
        count_write_units: returns what the deletes cost so far.
        make_progress: makes the progress of so many deletes.
        archive_place: where a run that deletes writes its archive; None for nowhere.
        restore_command: undoes the deletes, for people to type; None without an archive.
        notice_age: how long ago a row's notice must have been sent, in seconds; None if rows need no notice.
        write_limit: write units a second that the deletes may use; None for no limit.
    """

    is_enabled: bool
    plan: SweepPlan
    archive: Archive
    guards: GuardInputs
    consent: Consent
    make_executor: Callable[[], PlanExecutor]
    find_announced: Callable[[Mapping[str, int]], AbstractSet[str]] | None
    lease: LeaseKeeper | None
    count_write_units: Callable[[], float]
    make_progress: Callable[[int], Progress]
    archive_place: str | None = None
    restore_command: str | None = None
    notice_age: int | None = None
    write_limit: float | None = None

    def abandon(self) -> None:
        """Give up the archive and the plan after an unexpected error."""
        self.archive.abandon()
        if self.plan.is_requested:
            self.plan.writer.close_unfinished()
        else:
            self.plan.writer.remove()

    def finish(
        self,
        tally: Tally,
        findings: FindingCollector,
        stop: Stop,
        *,
        is_complete: bool,
        lease_problem: str | None,
        find_owners_to_spare: Callable[[], SparedOwners],
        unused_patterns: Sequence[str] = (),
    ) -> SweepResult:
        """Close the plan, check the guards, execute the plan, and report every row of it with its outcome.

        Args:
            tally: what the scan counted.
            findings: gets every row of the plan.
            stop: a request ends the deletes, and a few seconds later the reporting of rows.
            is_complete: whether the scan reached the table's end; if not, nothing is deleted.
            lease_problem: why the table's lease could not be taken; None if it is held, or not needed.
            find_owners_to_spare: looks up again the owners whose rows are planned early; called before the deletes.
            unused_patterns: patterns of protected users that match the owner of no row.
        """
        result = SweepResult()
        unused = tuple(unused_patterns)
        scan_facts = self.guards.choose_scan_facts(
            ScanFacts(
                scanned=tally.scanned,
                dated=tally.dated,
                complete=is_complete,
                unused_patterns=unused,
                withheld=tally.withheld,
            )
        )
        try:
            self.plan.writer.close(scan_facts)
        except SinkError as error:
            result.errors.append(Remark(where="plan", code=error.code, message=str(error)))
            is_complete = False
        if is_complete:
            narrowing, planned = self.plan.header.policy.narrowing, self.plan.read_rows()
            result.warnings += build_narrowing_remarks(narrowing, planned, tally.left_out)
            _check_guards(
                self, tally, scan_facts, findings, result, lease_problem=lease_problem, unused_patterns=unused
            )
        may_delete = self.is_enabled and is_complete and not result.is_refused and self.plan.writer.rows > 0
        executor = self.make_executor() if may_delete else DryRunExecutor()
        spared = SparedOwners()
        if may_delete:
            spared = find_owners_to_spare()
            result.errors += spared.errors
            log.info("deletes.started", rows=self.plan.writer.rows)
        results = _spare_or_execute(self, executor, spared)
        progress = self.make_progress(self.plan.writer.rows) if may_delete else NoProgress()
        outcomes = _report_outcomes(results, progress, tally=tally, findings=findings, stop=stop)
        if may_delete:
            log.info("deletes.finished", **{outcome.value: count for outcome, count in outcomes.items()})
        result.unlisted = self.plan.writer.rows - outcomes.total()
        if result.unlisted:
            are, none_was = ("is", "it was not") if result.unlisted == 1 else ("are", "none of them was")
            message = (
                f"{format_count(result.unlisted, 'planned row')} {are} missing from this report because the run had to "
                f"stop; {none_was} deleted"
            )
            result.warnings.append(Remark(where="report", code="untold", message=message))
        result.errors += executor.errors
        if may_delete:
            result.errors += _close_archive(self.archive, scan_facts)
        if self.is_enabled and is_complete and not (result.is_refused or result.errors or stop.is_requested()):
            _remove_outdated_plan(self)
        result.deletion = _describe_deletion(
            self, tally, outcomes, has_archive=may_delete, plan=_keep_plan(self, result)
        )
        return result


def _check_guards(
    sweep: Sweep,
    tally: Tally,
    scan_facts: ScanFacts | None,
    findings: FindingCollector,
    result: SweepResult,
    *,
    lease_problem: str | None,
    unused_patterns: Sequence[str],
) -> None:
    guarded_plan = GuardedPlan(
        planned=sweep.plan.writer.rows,
        undated=tally.planned_undated,
        scan_facts=scan_facts,
        skew_seconds=sweep.guards.skew_seconds,
        is_as_of_given=sweep.guards.is_as_of_given,
        lease_problem=lease_problem,
        archive_problem=sweep.guards.find_archive_problem(),
        has_archive=sweep.archive.location is not None,
        unchecked=sweep.guards.unchecked | ({"lease"} if sweep.lease is None and not lease_problem else set()),
        consent_problem=sweep.consent.find_problem() if sweep.is_enabled else None,
        misread=count_misread_patterns(
            unused_patterns, (text_of(read.row.username) for read in sweep.plan.read_rows())
        ),
    )
    result.guards = check_guards(guarded_plan, sweep.guards.limits)
    if sweep.is_enabled and sweep.plan.writer.rows and all(guard.passed is not False for guard in result.guards):
        result.guards = _ask_and_open_archive(sweep, _make_plan_to_confirm(sweep, tally, findings), result.guards)
    refusals = list(list_refusals(result.guards, is_dry_run=not sweep.is_enabled))
    if sweep.is_enabled:
        result.errors += refusals
        result.is_refused = bool(refusals)
    else:
        result.warnings += refusals
        result.would_be_refused = bool(refusals)


def _make_plan_to_confirm(sweep: Sweep, tally: Tally, findings: FindingCollector) -> PlanToConfirm:
    def list_findings() -> list[Finding]:
        shortlist = make_shortlist(MAX_LISTED)
        for candidate in sweep.plan.read_rows():
            verdict = _classify(candidate)
            rank = verdict_urgency(verdict, sweep.plan.header.now)
            row = JudgedRow(candidate.row, verdict, DeletionOutcome.PLANNED)
            shortlist.offer(verdict.state, rank, candidate.row.key.S or "", row)
        return findings.build_lines(shortlist.sorted()) + list_protected(findings.finish())[:MAX_LISTED]

    return PlanToConfirm(
        rows=sweep.plan.writer.rows,
        expiries=tally.planned_expiries,
        undated=tally.planned_undated,
        protected=tally.protected,
        list_findings=list_findings,
        archive=sweep.archive.location,
        restore_command=sweep.restore_command,
    )


def _ask_and_open_archive(sweep: Sweep, plan: PlanToConfirm, guards: list[GuardPart]) -> list[GuardPart]:
    """Once no guard refuses, ask, and open the archive, which leaves a file behind; return the last verdicts."""
    if not sweep.consent.ask(plan):
        return refuse_unconfirmed(guards)
    try:
        sweep.archive.open(sweep.plan.header)
    except SinkError as error:
        return refuse_unwritable(guards, str(error))
    return guards


def _close_archive(archive: Archive, scan_facts: ScanFacts | None) -> list[Remark]:
    """Close the archive after the deletes; return what went wrong."""
    try:
        archive.close(scan_facts)
    except SinkError as error:
        archive.abandon()
        return [Remark(where="archive", code=error.code, message=str(error))]
    return []


def _spare_or_execute(sweep: Sweep, executor: PlanExecutor, spared: SparedOwners) -> CandidateOutcomes:
    """Execute the plan but for the rows that were to go early and do not, which come first; yield every row."""

    def read_candidates() -> Iterator[tuple[ReadRow, DeletionOutcome | None]]:
        for candidate in sweep.plan.read_rows():
            owner = text_of(candidate.row.username) if UNLOCKS_OWNER in candidate.planned.reasons else None
            if owner in spared.let_in:
                yield candidate, DeletionOutcome.CHANGED
            else:
                yield candidate, DeletionOutcome.PLANNED if owner in spared.unchecked else None

    if spared.let_in or spared.unchecked:
        for candidate, outcome in read_candidates():
            if outcome is not None:
                yield candidate, outcome
    yield from executor.execute(candidate for candidate, outcome in read_candidates() if outcome is None)


def _report_outcomes(
    results: CandidateOutcomes,
    progress: Progress,
    *,
    tally: Tally,
    findings: FindingCollector,
    stop: Stop,
) -> Counter[DeletionOutcome]:
    """Report every row. After a request to stop, rows that were not touched may be left out."""
    outcomes: Counter[DeletionOutcome] = Counter()
    found_rows: list[JudgedRow] = []
    try:
        for candidate, outcome in results:
            if outcome is DeletionOutcome.PLANNED and stop.has_passed(RECORD_SECONDS):
                break
            outcomes[outcome] += 1
            verdict = _classify(candidate)
            if outcome not in _GONE:
                tally.owners.add(candidate.row, verdict)
            found_rows.append(JudgedRow(candidate.row, verdict, outcome))
            if len(found_rows) % _PROGRESS_BATCH == 0:
                progress.advance(_PROGRESS_BATCH)
            if len(found_rows) == _REPORT_BATCH:
                findings.add(found_rows)
                found_rows = []
    finally:
        progress.finish()
    findings.add(found_rows)
    return outcomes


def _classify(candidate: ReadRow) -> Verdict:
    """Classify a row of the plan as the scan did. No gate accepted it then, or it would not have been planned."""
    expiration = candidate.row.expiration
    expiry = read_expiration(expiration)[0] if expiration is not None else None
    return Verdict(_STATES[candidate.planned.state], (), expiry, candidate.planned.reasons)


def _keep_plan(sweep: Sweep, result: SweepResult) -> Path | None:
    """Keep the plan where the user asked for it or it was refused, else remove it; return where it is, if anywhere."""
    if sweep.plan.is_requested:
        return sweep.plan.writer.path
    if not result.is_refused or sweep.plan.reviewed_path is not None:
        sweep.plan.writer.remove()
        # The file that was reviewed is still to be applied.
        return sweep.plan.reviewed_path if result.is_refused or not sweep.is_enabled else None
    reason = "this machine has no persistent disk for it"
    if sweep.plan.refused_path is not None:
        try:
            sweep.plan.writer.move(sweep.plan.refused_path)
        except SinkError as error:
            reason = str(error)
        else:
            return sweep.plan.writer.path
    sweep.plan.writer.remove()
    message = f"the plan was not kept: {reason}; to read it, run `janitor sweep --plan PATH` without --delete"
    result.warnings.append(Remark(where="plan", code="not-kept", message=message))
    return None


def _remove_outdated_plan(sweep: Sweep) -> None:
    """Remove the refused plan of an earlier sweep of the table, once a sweep was not refused."""
    outdated = sweep.plan.refused_path
    if outdated is None or sweep.plan.reviewed_path is not None or not outdated.is_file():
        return
    if outdated.resolve() == sweep.plan.writer.path.resolve():
        return
    try:
        outdated.unlink()
    except OSError as error:
        log.warning("plan.not_removed", path=str(outdated), error=error.strerror)
    else:
        log.info("plan.removed", path=str(outdated), reason="a later sweep of the table was not refused")


def _describe_deletion(
    sweep: Sweep, tally: Tally, outcomes: Counter[DeletionOutcome], *, has_archive: bool, plan: Path | None
) -> Deletion:
    would_archive = not sweep.is_enabled and sweep.plan.writer.rows > 0
    return Deletion(
        enabled=sweep.is_enabled,
        planned=sweep.plan.writer.rows,
        protected=tally.protected,
        deleted=outcomes[DeletionOutcome.DELETED],
        changed=outcomes[DeletionOutcome.CHANGED],
        already_gone=outcomes[DeletionOutcome.ALREADY_GONE],
        failed=outcomes[DeletionOutcome.FAILED],
        waiting=tally.waiting,
        left_out=tally.left_out,
        plan=str(plan.absolute()) if plan else None,
        archive=sweep.archive.location if has_archive else None,
        archive_place=sweep.archive_place,
        restore_command=sweep.restore_command if has_archive or would_archive else None,
    )
