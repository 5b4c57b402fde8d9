"""What to do next: commands of janitor that exist, chosen by what the report holds. None deletes without a look first.

The report does not know every option of its run (`--profile`, `--protect-user`), so a row is deleted by way of a plan
only: `janitor sweep --plan` writes it, a person reads it, `janitor apply` carries it out, and asks.
"""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from janitor.report.combine import split_by_table
from janitor.report.model import Outcome, Report
from janitor.tokens.classify import State
from janitor.tokens.printable import printable
from janitor.tokens.words import counted

_MOST_THRESHOLDS = 5
# The states whose rows are accepted and will end by themselves.
_IN_ORDER = (State.EXPIRING, State.ACTIVE)
# Of several tables each has steps of its own.
_MOST_OF_SEVERAL = 60
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


class Step(NamedTuple):
    """A sentence, and commands for the shell."""

    advice: str
    commands: tuple[str, ...] = ()


_NOTHING = Step("Nothing calls for action. Have the next run scheduled, and look again then.")


def steps(report: Report) -> Iterator[Step]:
    """Most pressing first; of several tables one after the other."""
    if report.is_of_several:
        yield from _of_each(report)
        return
    found = [*_unfinished(report), *_plans(report), *_afterwards(report), *_owners(report)]
    yield from found or [_NOTHING]


def _of_each(report: Report) -> Iterator[Step]:
    named = [
        Step(f"{table.label}: {step.advice}", step.commands)
        for table, each in zip(report.tables, split_by_table(report), strict=True)
        for step in steps(each)
        if step != _NOTHING
    ]
    yield from named[:_MOST_OF_SEVERAL] or [_NOTHING]
    if len(named) > _MOST_OF_SEVERAL:
        yield Step(f"And {len(named) - _MOST_OF_SEVERAL:,} more: run the tables one at a time to see them.")


def _unfinished(report: Report) -> Iterator[Step]:
    is_partial = any(error.where == "scan" for error in report.errors)
    if is_partial or report.run.outcome in (Outcome.INTERRUPTED, Outcome.SKIPPED):
        yield Step("Run it again: this report does not cover the whole table.", (_again(report),))
    elif report.run.outcome is Outcome.REFUSED:
        yield Step("A guard refused to delete. See above why, look at the plan, and raise a limit only if it is right.")


def _plans(report: Report) -> Iterator[Step]:
    deletion, stale = report.deletion, report.counts.stale
    left = deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone
    if deletion.plan and left:
        apply = f"janitor apply {_quoted(deletion.plan)}"
        yield Step("Carry out the plan, once you have read it.", (f"{apply} --dry-run", apply))
        return
    if deletion.failed:
        advice = f"{counted(deletion.failed, 'row')} could not be deleted. Plan anew, and try again."
    elif report.run.only_reads and stale:
        are = "is" if stale == 1 else "are"
        advice = f"{counted(stale, 'row')} {are} past the grace. Plan what would go, and read the plan."
    elif left:
        advice = f"{counted(left, 'row')} would go. Keep the plan, read it, and carry it out."
    else:
        return
    yield Step(advice, (f"{_sweep(report)} --plan plan.ndjson", "janitor apply plan.ndjson"))


def _afterwards(report: Report) -> Iterator[Step]:
    archive = report.deletion.archive
    if archive and report.deletion.deleted:
        advice = "Should a row not have gone: see what the archive would put back, then go without `--dry-run`."
        yield Step(advice, (f"janitor restore {_quoted(archive)} --all --dry-run",))
    if report.locked_out:
        advice = (
            "Let the locked-out owners in again before the grace is over: plan every expired row, and keep only "
            "what should go."
        )
        yield Step(advice, (f"{_sweep(report, grace='0')} --plan locked-out.ndjson",))


def _owners(report: Report) -> Iterator[Step]:
    if report.counts.expiring:
        advice = "Tell the owners of the tokens that expire next. All of them, as a spreadsheet:"
        yield Step(advice, (f"{_scan(report)} --report csv=tokens.csv",))
    opened = sum(1 for finding in report.findings if finding.accepted_by and finding.state not in _IN_ORDER)
    if opened:
        lets = f"{counted(opened, 'row')} of this page still {'lets' if opened == 1 else 'let'} somebody in"
        why = "with no date, a broken one, or no tokenUUID. janitor deletes no row that LISA accepts"
        yield Step(f"{lets}, {why}: have the owners replace them.")
    if report.findings_omitted:
        yield Step(
            "See the findings that this page leaves out.", (f"{_again(report)} --report ndjson=findings.ndjson",)
        )


def _again(report: Report) -> str:
    """The run itself; not sorted, so that a report that streams may hold every row."""
    listing = report.listing
    if listing is None:
        return _scan(report)
    chosen = [("state", state.value) for state in listing.states]
    chosen += [("user", pattern) for pattern in listing.users]
    chosen += [("name", pattern) for pattern in listing.names]
    options = "".join(f" --{name} {_quoted(value)}" for name, value in chosen)
    return f"{_scan(report, 'token list')}{options}"


def _scan(report: Report, command: str = "scan") -> str:
    thresholds = sorted(report.policy.thresholds_seconds, reverse=True)[:_MOST_THRESHOLDS]
    within = "".join(f" --expiring-within {_duration(seconds)}" for seconds in thresholds)
    return f"janitor {command} {_target(report)}{within} --grace {_duration(report.policy.grace_seconds)}"


def _sweep(report: Report, *, grace: str | None = None) -> str:
    return f"janitor sweep {_target(report)} --grace {grace or _duration(report.policy.grace_seconds)}"


def _target(report: Report) -> str:
    table, policy = report.only_table, report.policy
    assert table is not None  # noqa: S101  # steps are of one table
    # A source that does not say whose rows it holds goes by its own name, which is no table's.
    name = table.name if table.region else None
    options = {
        "source": table.source,
        "table": name,
        "region": table.region,
        "endpoint-url": table.endpoint,
        "dialect": policy.dialect.value if policy.dialect else None,
    }
    return " ".join(f"--{option} {_quoted(value)}" for option, value in options.items() if value)


def _quoted(text: str) -> str:
    return shlex.quote(printable(text))


def _duration(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
