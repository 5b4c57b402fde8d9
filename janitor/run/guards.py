"""The guards: each reason to refuse to delete is a function. All are checked before the first delete.

A guard returns None, or a sentence that says which number was too large and what to do (docs/architecture.md,
"Guards"). A dry run checks them too, and reports what a real run would refuse.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from janitor.archive.plan import ScanFacts
from janitor.dynamodb.clock import describe_skew
from janitor.report.model import Remark
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys
from janitor.tokens.words import format_count

# Below so many scanned rows a share means little: two stale tokens of three are an ordinary small table.
LEAST_ROWS_FOR_A_SHARE = 20
_ALL_PERCENT = 100
_MAX_PATTERNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionLimits:
    """How much may be deleted.

    Attributes:
        max_deletes: rows.
        max_delete_percent: of the scanned rows; 0 to 100.
        max_clock_skew: how far the local clock may be off the server's, in seconds.
    """

    max_deletes: int
    max_delete_percent: float
    max_clock_skew: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardInputs:
    """What the guards are given before a run, besides its plan.

    Attributes:
        limits: how much may be deleted.
        skew_seconds: the local clock minus the server's; None if the server sent no date.
        is_as_of_given: whether rows are judged as of another time than the present.
        choose_scan_facts: returns what the guards know about the table: given what this run has read, it returns that,
            or what an earlier scan read; None for unknown.
        find_archive_problem: finds why the archive cannot be written, as far as can be known without writing.
    """

    limits: DeletionLimits
    skew_seconds: int | None
    is_as_of_given: bool
    choose_scan_facts: Callable[[ScanFacts], ScanFacts | None] = lambda scanned: scanned
    find_archive_problem: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedPlan:
    """A plan and what is known about it, as the guards check it.

    Attributes:
        planned: how many rows the plan holds.
        protected: how many more rows it would hold if they were not protected.
        undated: how many of the planned rows have no date.
        scan_facts: what the scan behind the plan saw; None if that is unknown, as for a plan that was cut off.
        skew_seconds: the local clock minus the server's; None if the server sent no date.
        is_as_of_given: whether the rows were judged as of another time than the present.
        lease_problem: why the table's lease could not be taken; None if it is held, or not needed.
        archive_problem: why the archive cannot be written; None if it can.
        consent_problem: why nobody can confirm the deletes; None if somebody can, or need not.
        misread: patterns of protected users that match nobody, each with how many planned rows it would match if it
            were read a little differently.
    """

    planned: int
    protected: int
    scan_facts: ScanFacts | None
    skew_seconds: int | None
    is_as_of_given: bool
    lease_problem: str | None
    archive_problem: str | None
    consent_problem: str | None = None
    misread: Mapping[str, int] = field(default_factory=dict)
    undated: int = 0


def check_guards(plan: GuardedPlan, limits: DeletionLimits, *, is_dry_run: bool = False) -> Iterator[Remark]:
    """Check all guards; yield a remark for each that refuses. No guard refuses an empty plan."""
    if plan.planned == 0:
        return
    is_refused = False
    for name, guard in _GUARDS.items():
        message = guard(plan, limits)
        if message is not None:
            is_refused = True
            yield build_refusal(name, message, is_dry_run=is_dry_run)
    # If another guard refuses, nobody need confirm.
    if not is_refused and plan.consent_problem is not None:
        yield build_refusal("not-confirmed", plan.consent_problem, is_dry_run=is_dry_run)


def build_refusal(name: str, message: str, *, is_dry_run: bool = False) -> Remark:
    """Build the remark that a guard refuses, or in a dry run that it would."""
    refused = "would refuse to delete" if is_dry_run else "refused to delete"
    return Remark(where="guard", code=name, message=f"{refused}: {message}")


def _check_clock(plan: GuardedPlan, limits: DeletionLimits) -> str | None:
    skew = plan.skew_seconds
    if skew is None:
        return (
            "DynamoDB's answer has no Date header, so the local clock cannot be checked; use an endpoint that sends one"
        )
    if abs(skew) <= limits.max_clock_skew:
        return None
    return (
        f"{describe_skew(skew)}, more than {limits.max_clock_skew:,}; "
        "set the clock right, or allow it with --max-clock-skew"
    )


def _check_as_of(plan: GuardedPlan, _: DeletionLimits) -> str | None:
    return "the rows were judged as of another time; remove --as-of to delete" if plan.is_as_of_given else None


def _check_scan_end(plan: GuardedPlan, _: DeletionLimits) -> str | None:
    if plan.scan_facts is None or plan.scan_facts.complete:
        return None
    return "the scan did not reach the end of the table; run it again"


def _check_max_deletes(plan: GuardedPlan, limits: DeletionLimits) -> str | None:
    if plan.planned <= limits.max_deletes:
        return None
    return (
        f"{plan.planned:,} rows are planned, more than {limits.max_deletes:,}; "
        f"look at them, then allow it with --max-deletes {plan.planned}"
    )


def _check_share(plan: GuardedPlan, limits: DeletionLimits) -> str | None:
    percent, scan_facts = limits.max_delete_percent, plan.scan_facts
    if percent == 0:
        return "--max-delete-percent 0 allows no deletes; give a larger one"
    if percent == _ALL_PERCENT:
        return None
    if scan_facts is None:
        return (
            "the plan does not say how many rows the table has, so --max-delete-percent cannot be checked; "
            "make the plan again, or skip this check with --max-delete-percent 100"
        )
    if scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE or plan.planned * _ALL_PERCENT <= percent * scan_facts.scanned:
        return None
    share = _ALL_PERCENT * plan.planned / scan_facts.scanned
    return (
        f"{plan.planned:,} of {scan_facts.scanned:,} scanned rows are planned, {share:.1f} percent and more than "
        f"{percent:g}; look at them, then allow it with --max-delete-percent {min(_ALL_PERCENT, int(share) + 1)}"
    )


def _check_all_dated(plan: GuardedPlan, limits: DeletionLimits) -> str | None:
    scan_facts = plan.scan_facts
    if scan_facts is None or limits.max_delete_percent == _ALL_PERCENT or scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE:
        return None
    # Protected rows count: their dates have passed too.
    if plan.planned - plan.undated + plan.protected < scan_facts.dated:
        return None
    or_protected = f" or is protected ({plan.protected:,})" if plan.protected else ""
    return (
        f"every row that has an expiry date ({scan_facts.dated:,}) would be deleted{or_protected}, which usually means "
        "a wrong clock or the wrong table; check both, then allow it with --max-delete-percent 100"
    )


def _check_lease(plan: GuardedPlan, _: DeletionLimits) -> str | None:
    return plan.lease_problem


def _check_archive(plan: GuardedPlan, _: DeletionLimits) -> str | None:
    if plan.archive_problem is None:
        return None
    return f"the archive cannot be written ({plan.archive_problem}); give --archive PATH, or --no-archive"


def _check_protection(plan: GuardedPlan, _: DeletionLimits) -> str | None:
    misread = plan.misread
    if not misread:
        return None
    quoted = [
        f"'{printable(remove_keys(pattern))}' ({format_count(rows, 'planned row')})"
        for pattern, rows in list(misread.items())[:_MAX_PATTERNS]
    ]
    if len(misread) > _MAX_PATTERNS:
        quoted.append(f"{len(misread) - _MAX_PATTERNS:,} more")
    is_one = len(misread) == 1
    return (
        f"--protect-user {', '.join(quoted)} {'matches' if is_one else 'match'} no owner, but "
        f"{'looks' if is_one else 'look'} like the owners of planned rows; correct the spelling (case matters), give "
        "each name its own --protect-user (in the variable, one a line or a JSON array), and remove patterns that are "
        "not needed"
    )


_GUARDS = {
    "clock": _check_clock,
    "as-of": _check_as_of,
    "unfinished-scan": _check_scan_end,
    "max-deletes": _check_max_deletes,
    "max-delete-percent": _check_share,
    "all-dated-rows": _check_all_dated,
    "protection": _check_protection,
    "lease": _check_lease,
    "archive": _check_archive,
}
