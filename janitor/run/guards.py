"""Each reason to refuse to delete, one function; all are checked before the first delete (docs/architecture.md).

A guard returns a sentence that says which number tripped it and how to go on, or None. A dry run asks them all the
same, and says what the real one would.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from janitor.archive.plan import Population
from janitor.dynamodb.clock import skew_words
from janitor.report.model import Remark
from janitor.tokens.printable import printable
from janitor.tokens.redact import without_keys
from janitor.tokens.words import counted

# Below so many scanned rows a share means little: two stale tokens of three are an ordinary small table.
LEAST_ROWS_FOR_A_SHARE = 20
_WHOLE = 100
_MOST_PATTERNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may go.

    Attributes:
        max_deletes: rows.
        max_delete_percent: of the scanned rows; 0 to 100.
        max_clock_skew: seconds.
    """

    max_deletes: int
    max_delete_percent: float
    max_clock_skew: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the guards look at.

    Attributes:
        planned: how many rows the plan holds.
        protected: how many rows it would hold besides, were they not protected.
        population: what the scan behind the plan saw; None where nobody knows, as for a plan that was cut off.
        skew_seconds: the local clock less the server's; None where the server did not say.
        as_of: whether the rows were judged as of another time than the present.
        lease_problem: why the table's lease was not to be had, None where nothing speaks against deleting.
        archive_problem: why the archive could not be written, None where it could.
        consent_problem: why nobody can say yes to the deletes; None where somebody can, or need not.
        misread: patterns of protected users that fit nobody, and how many planned rows each would fit if it were read a
            little differently.
    """

    planned: int
    protected: int
    population: Population | None
    skew_seconds: int | None
    as_of: bool
    lease_problem: str | None
    archive_problem: str | None
    consent_problem: str | None = None
    misread: Mapping[str, int] = field(default_factory=dict)


def refusals(situation: Situation, limits: Limits, *, is_dry_run: bool = False) -> Iterator[Remark]:
    """Every reason to refuse, as remarks for the report; none where nothing is planned anyway."""
    if situation.planned == 0:
        return
    told = False
    for name, guard in _GUARDS.items():
        message = guard(situation, limits)
        if message is not None:
            told = True
            yield refusal(name, message, is_dry_run=is_dry_run)
    # Where nothing would go anyway, nobody need be asked.
    if not told and situation.consent_problem is not None:
        yield refusal("not-confirmed", situation.consent_problem, is_dry_run=is_dry_run)


def refusal(name: str, message: str, *, is_dry_run: bool = False) -> Remark:
    """That a guard refuses, or of a dry run that it would."""
    refused = "would refuse to delete" if is_dry_run else "refused to delete"
    return Remark(where="guard", code=name, message=f"{refused}: {message}")


def _clock(situation: Situation, limits: Limits) -> str | None:
    skew = situation.skew_seconds
    if skew is None:
        return "DynamoDB's answer carried no date to check the local clock by; go through an endpoint that sends one"
    if abs(skew) <= limits.max_clock_skew:
        return None
    return (
        f"{skew_words(skew)}, more than {limits.max_clock_skew:,}; "
        "set the clock right, or allow it with --max-clock-skew"
    )


def _as_of(situation: Situation, _: Limits) -> str | None:
    return "the rows were judged as of another time; go without --as-of to delete" if situation.as_of else None


def _unfinished(situation: Situation, _: Limits) -> str | None:
    if situation.population is None or situation.population.complete:
        return None
    return "the scan did not reach the end of the table; run it again"


def _most(situation: Situation, limits: Limits) -> str | None:
    if situation.planned <= limits.max_deletes:
        return None
    return (
        f"{situation.planned:,} rows are planned, more than {limits.max_deletes:,}; "
        f"look at them, then allow it with --max-deletes {situation.planned}"
    )


def _share(situation: Situation, limits: Limits) -> str | None:
    percent, population = limits.max_delete_percent, situation.population
    if percent == 0:
        return "--max-delete-percent 0 lets none go; give another"
    if percent == _WHOLE:
        return None
    if population is None:
        return (
            "the plan does not say how many rows the table has, so nobody knows how large a share it is; "
            "go without that rule with --max-delete-percent 100"
        )
    if population.scanned < LEAST_ROWS_FOR_A_SHARE or situation.planned * _WHOLE <= percent * population.scanned:
        return None
    share = _WHOLE * situation.planned / population.scanned
    return (
        f"{situation.planned:,} of {population.scanned:,} scanned rows are planned, {share:.1f} percent and more than "
        f"{percent:g}; look at them, then allow it with --max-delete-percent {min(_WHOLE, int(share) + 1)}"
    )


def _all_dated(situation: Situation, limits: Limits) -> str | None:
    population = situation.population
    if population is None or limits.max_delete_percent == _WHOLE or population.scanned < LEAST_ROWS_FOR_A_SHARE:
        return None
    # A protected row would have gone too: with it, all dates are over all the same.
    if situation.planned + situation.protected < population.dated:
        return None
    spared = f" or protected ({situation.protected:,})" if situation.protected else ""
    return (
        f"all {population.dated:,} rows that carry a date are planned{spared}, as with a wrong clock or table; "
        "look at them, then allow it with --max-delete-percent 100"
    )


def _lease(situation: Situation, _: Limits) -> str | None:
    return situation.lease_problem


def _archive(situation: Situation, _: Limits) -> str | None:
    if situation.archive_problem is None:
        return None
    return f"the archive cannot be written ({situation.archive_problem}); give --archive PATH, or --no-archive"


def _protection(situation: Situation, _: Limits) -> str | None:
    misread = situation.misread
    if not misread:
        return None
    said = [
        f"'{printable(without_keys(pattern))}' ({counted(rows, 'planned row')})"
        for pattern, rows in list(misread.items())[:_MOST_PATTERNS]
    ]
    if len(misread) > _MOST_PATTERNS:
        said.append(f"{len(misread) - _MOST_PATTERNS:,} more")
    one = len(misread) == 1
    return (
        f"--protect-user {', '.join(said)} {'fits' if one else 'fit'} nobody as {'it is' if one else 'they are'} "
        "written, and would fit the owners of rows that are planned if read a little differently; write each name in "
        "the row's own spelling, several as an option each, a JSON array, or one a line in the variable; or take away "
        "what is not meant"
    )


_GUARDS = {
    "clock": _clock,
    "as-of": _as_of,
    "unfinished-scan": _unfinished,
    "max-deletes": _most,
    "max-delete-percent": _share,
    "all-dated-rows": _all_dated,
    "protection": _protection,
    "lease": _lease,
    "archive": _archive,
}
