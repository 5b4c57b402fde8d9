"""The guards: each reason to refuse to delete is a function. All are checked before the first delete.

A guard says what it found, its limit, and where that is exceeded a sentence on what to do (docs/explanation/safety.md,
"Guards"). A dry run checks them too, and reports what a real run would refuse.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from janitor.archive.plan import ScanFacts
from janitor.dynamodb.clock import describe_skew
from janitor.report.model import NOT_CONFIRMED, GuardPart, Remark
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys
from janitor.tokens.words import format_count

# Below so many scanned rows a share means little: two stale tokens of three are an ordinary small table.
LEAST_ROWS_FOR_A_SHARE = 20
_ALL_PERCENT = 100
_MAX_PATTERNS = 5
_ARCHIVE = "archive"
_WRITABLE = "writable"
_YES = "a yes, on a terminal or by --yes"


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
        find_archive_problem: finds why the archive cannot be written, and what to do, as far as can be known without
            writing.
        unchecked: the names of guards that this run cannot check, and a later one will.
    """

    limits: DeletionLimits
    skew_seconds: int | None
    is_as_of_given: bool
    choose_scan_facts: Callable[[ScanFacts], ScanFacts | None] = lambda scanned: scanned
    find_archive_problem: Callable[[], str | None] = lambda: None
    unchecked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedPlan:
    """A plan and what is known about it, as the guards check it.

    Attributes:
        planned: how many rows the plan holds.
        undated: how many of the planned rows have no date.
        has_archive: whether rows are archived before they are deleted.
        unchecked: the names of guards whose facts are not known here.
        scan_facts: what the scan behind the plan saw; None if that is unknown, as for a plan that was cut off.
        skew_seconds: the local clock minus the server's; None if the server sent no date.
        is_as_of_given: whether the rows were judged as of another time than the present.
        lease_problem: why the table's lease could not be taken; None if it is held, or not needed.
        archive_problem: why the archive cannot be written, and what to do; None if it can.
        consent_problem: why nobody can confirm the deletes; None if somebody can, or need not.
        misread: patterns of protected users that match nobody, each with how many planned rows it would match if it
            were read a little differently.
    """

    planned: int
    scan_facts: ScanFacts | None
    skew_seconds: int | None
    is_as_of_given: bool
    lease_problem: str | None
    archive_problem: str | None
    consent_problem: str | None = None
    misread: Mapping[str, int] = field(default_factory=dict)
    undated: int = 0
    has_archive: bool = True
    unchecked: Collection[str] = ()


class _Check(NamedTuple):
    """What a guard found.

    Attributes:
        figure: what was found, for people.
        limit: what is allowed.
        problem: why it refuses, and what to do; None if it does not.
        is_known: whether the guard could judge at all.
    """

    figure: str
    limit: str
    problem: str | None = None
    is_known: bool = True


def check_guards(plan: GuardedPlan, limits: DeletionLimits) -> list[GuardPart]:
    """Check all guards, and return the verdict of each, in a fixed order. No guard refuses an empty plan."""
    guards = [_check_one(name, guard(plan, limits), plan) for name, guard in _GUARDS.items()]
    # If another guard refuses, nobody need confirm.
    if plan.consent_problem is not None and plan.planned and all(guard.passed is not False for guard in guards):
        guards.append(_check_one(NOT_CONFIRMED, _Check("nobody can be asked", _YES, plan.consent_problem), plan))
    return guards


def refuse_unconfirmed(guards: Iterable[GuardPart]) -> list[GuardPart]:
    """Add the verdict that somebody was asked, and did not say yes."""
    message = "you did not confirm; answer y, or give --yes"
    return [*guards, GuardPart(name=NOT_CONFIRMED, figure="no", limit=_YES, passed=False, message=message)]


def refuse_unwritable(guards: Iterable[GuardPart], problem: str) -> list[GuardPart]:
    """Replace the verdict on the archive: it seemed that it could be written, and it could not be opened.

    `problem` says why, and what to do.
    """
    check = _describe_unwritable(problem)
    refusal = GuardPart(name=_ARCHIVE, figure=check.figure, limit=check.limit, passed=False, message=check.problem)
    return [refusal if guard.name == _ARCHIVE else guard for guard in guards]


def list_refusals(guards: Iterable[GuardPart], *, is_dry_run: bool = False) -> Iterator[Remark]:
    """Yield a remark for each guard that refuses, or in a dry run would."""
    for guard in guards:
        if guard.passed is False:
            refused = "would refuse to delete" if is_dry_run else "refused to delete"
            yield Remark(where="guard", code=guard.name, message=f"{refused}: {guard.message or guard.figure}")


def _check_one(name: str, check: _Check, plan: GuardedPlan) -> GuardPart:
    if name in plan.unchecked:
        return GuardPart(name=name, figure=_UNCHECKED_FIGURES.get(name, "unknown"), limit=check.limit)
    if not plan.planned or not check.is_known:
        return GuardPart(name=name, figure=check.figure, limit=check.limit)
    return GuardPart(
        name=name, figure=check.figure, limit=check.limit, passed=check.problem is None, message=check.problem
    )


def _check_clock(plan: GuardedPlan, limits: DeletionLimits) -> _Check:
    skew, limit = plan.skew_seconds, f"at most {format_duration(limits.max_clock_skew)}"
    if skew is None:
        return _Check(
            "unknown",
            limit,
            "DynamoDB's answer has no Date header, so the local clock cannot be checked; use an endpoint that sends "
            "one",
        )
    figure = f"{format_duration(abs(skew))} off"
    if abs(skew) <= limits.max_clock_skew:
        return _Check(figure, limit)
    return _Check(
        figure,
        limit,
        f"{describe_skew(skew)}, more than {limits.max_clock_skew:,}; "
        "set the clock right, or allow it with --max-clock-skew",
    )


def _check_as_of(plan: GuardedPlan, _: DeletionLimits) -> _Check:
    if plan.is_as_of_given:
        message = "the rows were judged as of another time; remove --as-of to delete"
        return _Check("another time", "the present", message)
    return _Check("the present", "the present")


def _check_scan_end(plan: GuardedPlan, _: DeletionLimits) -> _Check:
    limit = "the whole table"
    if plan.scan_facts is None:
        return _Check("unknown", limit, is_known=False)
    if plan.scan_facts.complete:
        return _Check(f"{format_count(plan.scan_facts.scanned, 'row')} read", limit)
    return _Check("a part was read", limit, "the scan did not reach the end of the table; run it again")


def _check_max_deletes(plan: GuardedPlan, limits: DeletionLimits) -> _Check:
    figure, limit = format_count(plan.planned, "row"), f"at most {limits.max_deletes:,}"
    if plan.planned <= limits.max_deletes:
        return _Check(figure, limit)
    return _Check(
        figure,
        limit,
        f"{figure} {'is' if plan.planned == 1 else 'are'} planned, more than {limits.max_deletes:,}; "
        f"look at them, then allow it with --max-deletes {plan.planned}",
    )


def _check_share(plan: GuardedPlan, limits: DeletionLimits) -> _Check:
    percent, scan_facts = limits.max_delete_percent, plan.scan_facts
    share = _ALL_PERCENT * plan.planned / scan_facts.scanned if scan_facts and scan_facts.scanned else None
    figure = "unknown" if share is None else f"{share:.1f} percent"
    limit = f"at most {percent:g} percent"
    if percent == 0:
        return _Check(figure, limit, "--max-delete-percent 0 allows no deletes; give a larger one")
    if percent == _ALL_PERCENT:
        return _Check(figure, "any share")
    if scan_facts is None or share is None:
        return _Check(
            figure,
            limit,
            "the plan does not say how many rows the table has, so --max-delete-percent cannot be checked; "
            "make the plan again, or skip this check with --max-delete-percent 100",
        )
    if scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE:
        return _Check(figure, f"any share of fewer than {LEAST_ROWS_FOR_A_SHARE} rows")
    if plan.planned * _ALL_PERCENT <= percent * scan_facts.scanned:
        return _Check(figure, limit)
    return _Check(
        figure,
        limit,
        f"{plan.planned:,} of {scan_facts.scanned:,} scanned rows are planned, {share:.1f} percent and more than "
        f"{percent:g}; look at them, then allow it with --max-delete-percent {min(_ALL_PERCENT, int(share) + 1)}",
    )


def _check_all_dated(plan: GuardedPlan, limits: DeletionLimits) -> _Check:
    scan_facts = plan.scan_facts
    if scan_facts is None:
        return _Check("unknown", "not all of them", is_known=False)
    # Rows that are withheld count: their dates have passed too.
    over = plan.planned - plan.undated + scan_facts.withheld
    figure, limit = f"{over:,} of {format_count(scan_facts.dated, 'dated row')}", "not all of them"
    if limits.max_delete_percent == _ALL_PERCENT or scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE:
        return _Check(figure, "any number")
    if over < scan_facts.dated:
        return _Check(figure, limit)
    or_withheld = f", or is protected, left out or waiting ({scan_facts.withheld:,})" if scan_facts.withheld else ""
    return _Check(
        figure,
        limit,
        f"every row that has an expiry date ({scan_facts.dated:,}) would be deleted{or_withheld}, which usually means "
        "a wrong clock or the wrong table; check both, then allow it with --max-delete-percent 100",
    )


def _check_lease(plan: GuardedPlan, _: DeletionLimits) -> _Check:
    figure = "no other run" if plan.lease_problem is None else "another run, or unknown"
    return _Check(figure, "one run at a time", plan.lease_problem)


def _check_archive(plan: GuardedPlan, _: DeletionLimits) -> _Check:
    if plan.archive_problem is None:
        return _Check("can be written" if plan.has_archive else "none is kept", _WRITABLE)
    return _describe_unwritable(plan.archive_problem)


def _describe_unwritable(problem: str) -> _Check:
    return _Check("cannot be written", _WRITABLE, f"{problem}, or give --no-archive")


def _check_protection(plan: GuardedPlan, _: DeletionLimits) -> _Check:
    misread, limit = plan.misread, "none"
    if not misread:
        return _Check("no misspelt pattern", limit)
    quoted = [
        f"'{printable(remove_keys(pattern))}' ({format_count(rows, 'planned row')})"
        for pattern, rows in list(misread.items())[:_MAX_PATTERNS]
    ]
    if len(misread) > _MAX_PATTERNS:
        quoted.append(f"{len(misread) - _MAX_PATTERNS:,} more")
    is_one = len(misread) == 1
    return _Check(
        format_count(len(misread), "misspelt pattern"),
        limit,
        f"--protect-user {', '.join(quoted)} {'matches' if is_one else 'match'} no owner, but "
        f"{'looks' if is_one else 'look'} like the owners of planned rows; correct the spelling (case matters), give "
        "each name its own --protect-user (in the variable, one a line or a JSON array), and remove patterns that are "
        "not needed",
    )


_UNCHECKED_FIGURES = {"lease": "no --state-url"}
_GUARDS = {
    "clock": _check_clock,
    "as-of": _check_as_of,
    "unfinished-scan": _check_scan_end,
    "max-deletes": _check_max_deletes,
    "max-delete-percent": _check_share,
    "all-dated-rows": _check_all_dated,
    "protection": _check_protection,
    "lease": _check_lease,
    _ARCHIVE: _check_archive,
}
