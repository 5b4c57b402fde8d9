"""What to do next: commands of janitor, chosen by what the report holds, complete as they are to be typed.

None deletes before somebody has looked: `janitor sweep --delete` and `janitor apply` show the rows, and ask.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from janitor.report.combine import split_by_table
from janitor.report.finding_cells import choose_row_names
from janitor.report.lockout_text import warn_of_working
from janitor.report.model import NOT_CONFIRMED, Finding, Outcome, Report, StepPart
from janitor.report.reason_remarks import may_go_by_sweep
from janitor.report.target_options import format_target, format_target_of, quote_word
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Gate
from janitor.tokens.lockout import Remedy
from janitor.tokens.reasons import BREAKING, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from janitor.tokens.words import format_count

_MAX_THRESHOLDS = 5
_MAX_REMOVES = 3
# The states of accepted rows that will expire by themselves, or whose keys are leaked.
_STATES_WITH_OWN_STEPS = (State.EXPIRING, State.ACTIVE, State.LEGACY)
_GONE = (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE)
# Of several tables each has steps of its own.
_MAX_STEPS = 60
_MAX_FIRST_STEPS, _MAX_STEPS_OF_SEVERAL = 4, 10
_USUAL_THRESHOLDS = (30 * 86_400, 7 * 86_400, 86_400)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


_NOTHING = StepPart("Nothing calls for action. Have the next run scheduled, and look again then.")


def list_steps(report: Report) -> Iterator[StepPart]:
    """List the steps, the most urgent first; of several tables the first step of each, then the second ones."""
    if report.is_of_several:
        yield from _list_steps_of_tables(report)
        return
    steps = [
        *_steps_for_unfinished(report),
        *_steps_for_plan(report),
        *_steps_after_deletes(report),
        *_steps_for_reasons(report),
        *_steps_for_owners(report),
    ]
    yield from steps or [_NOTHING]


def first_steps(report: Report) -> list[StepPart]:
    """The steps that a report for people ends with; the page and the JSON have all."""
    return report.next_steps[: _MAX_STEPS_OF_SEVERAL if report.is_of_several else _MAX_FIRST_STEPS]


def list_all_command(report: Report) -> str:
    """The command that lists every finding of such a run, with its outcome; empty for a run of several tables."""
    if report.is_of_several:
        return ""
    return f"{_command_again(report).removesuffix(' --delete')} --report ndjson=findings.ndjson"


def _list_steps_of_tables(report: Report) -> Iterator[StepPart]:
    of_tables = [
        [StepPart(f"{table.label}: {step.advice}", step.commands) for step in list_steps(each) if step != _NOTHING]
        for table, each in zip(report.tables, split_by_table(report), strict=True)
    ]
    # The first step of each table, then the second ones, so that the first few of a report are of all tables.
    labeled = [step for together in zip_longest(*of_tables) for step in together if step is not None]
    yield from labeled[:_MAX_STEPS] or [_NOTHING]
    if len(labeled) > _MAX_STEPS:
        yield StepPart(f"And {len(labeled) - _MAX_STEPS:,} more: run the tables one at a time to see them.")


def _steps_for_unfinished(report: Report) -> Iterator[StepPart]:
    is_partial = any(error.where == "scan" for error in report.errors)
    if is_partial or report.run.outcome in (Outcome.INTERRUPTED, Outcome.SKIPPED):
        yield StepPart("Run it again: this report does not cover the whole table.", (_command_again(report),))
    elif any(error.code == NOT_CONFIRMED for error in report.errors):
        again = _sweep_command(report) + " --delete"
        if report.run.command == "apply" and report.deletion.plan:
            again = _apply_command(report, report.deletion.plan)
        yield StepPart("Nobody confirmed the deletes. Run it again, and answer y, or give --yes.", (again,))
    elif report.run.outcome is Outcome.REFUSED:
        yield StepPart(
            "A guard refused to delete. See above why, read the plan, and raise a limit only if the plan is right."
        )


def _steps_for_plan(report: Report) -> Iterator[StepPart]:
    deletion, stale = report.deletion, report.counts.stale
    left = deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone
    if report.run.dry_run and not report.run.only_reads:
        if report.run.outcome is Outcome.COMPLETE:
            yield from _steps_after_dry_run(report)
    elif deletion.plan and left:
        if report.run.outcome is not Outcome.REFUSED or report.run.command != "apply":
            yield _step_for_applying(report, deletion.plan)
    elif deletion.failed:
        advice = f"{format_count(deletion.failed, 'row')} could not be deleted. Make a new plan, and try again."
        yield _step_for_planning(advice, report)
    elif report.run.only_reads and stale:
        are = "is" if stale == 1 else "are"
        advice = f"{format_count(stale, 'row')} {are} past the grace. Plan the deletes, and read the plan."
        yield _step_for_planning(advice, report)
    elif left:
        are = "is" if left == 1 else "are"
        yield _step_for_planning(
            f"{format_count(left, 'row')} {are} left. Keep the plan, read it, and apply it.", report
        )


def _steps_after_dry_run(report: Report) -> Iterator[StepPart]:
    """How to do what the dry run has rehearsed: delete at once, or keep a plan that somebody reads first."""
    deletion, rows = report.deletion, format_count(report.deletion.planned, "row")
    refusing = [guard.name for table in report.tables for guard in table.guards if guard.passed is False]
    if refusing:
        advice = f"See what the guards say that would refuse ({', '.join(refusing)}), and try again."
        yield StepPart(advice, () if deletion.plan else (_sweep_command(report),))
    if deletion.plan and deletion.planned:
        yield _step_for_applying(report, deletion.plan)
    elif deletion.planned and (refusing or report.tables[0].source is not None or report.policy.as_of is not None):
        yield _step_for_planning(f"{rows} would be deleted. Keep the plan, read it, and apply it.", report)
    elif deletion.planned:
        advice = f"Delete {rows}. On a terminal it shows them again, and asks.{_describe_left_out(report)}"
        yield StepPart(advice, (f"{_sweep_command(report)} --delete",))
        yield _step_for_planning("Or keep the plan for somebody else to read, and apply that.", report)
    elif deletion.waiting:
        advice = "Tell the owners, which starts the time of their notice. Nothing is deleted before that is over."
        yield StepPart(f"{advice}{_describe_left_out(report)}", (f"{_sweep_command(report)} --delete",))


def _step_for_planning(advice: str, report: Report) -> StepPart:
    plan = "plan.ndjson"
    return StepPart(advice, (f"{_sweep_command(report)} --plan {plan}", _apply_command(report, plan)))


def _step_for_applying(report: Report, plan: str) -> StepPart:
    apply = _apply_command(report, plan)
    advice = f"Apply the plan, once you have read it.{_describe_left_out(report)}"
    return StepPart(advice, (f"{apply} --dry-run", apply))


def _describe_left_out(report: Report) -> str:
    """Say which options of the run are to be given again, because the commands here leave them out."""
    left_out = report.tables[0].options.left_out
    return f" Give {' and '.join(left_out)} again as before: here they are left out." if left_out else ""


def _steps_after_deletes(report: Report) -> Iterator[StepPart]:
    restore = report.deletion.restore_command
    if restore and report.deletion.archive and report.deletion.deleted:
        advice = "If a row should not have been deleted: see what would be restored, then leave out `--dry-run`."
        yield StepPart(advice, (f"{restore} --dry-run",))
    yield from _steps_for_locked_out(report)


def _steps_for_locked_out(report: Report) -> Iterator[StepPart]:
    rows = [row for owner in report.lockouts for row in owner.rows]
    remedies = {row.remedy for row in rows}
    if remedies & {Remedy.UNLOCK_AFTER, Remedy.INCLUDE_LEGACY}:
        is_new = Remedy.INCLUDE_LEGACY in remedies and "legacy" not in report.policy.include
        include = " --include legacy" if is_new else ""
        advice = "Let the locked-out owners in again before the grace is over: plan the rows that keep them out."
        unlock_after = "" if report.policy.unlock_after_seconds is not None else " --unlock-after 1h"
        plan = f"{_sweep_command(report)}{unlock_after}{include} --plan locked-out.ndjson"
        yield StepPart(advice, (plan, _apply_command(report, "locked-out.ndjson")))
    by_hand = [row for row in rows if row.remedy in (Remedy.REMOVE, Remedy.INCLUDE_UNDATED)]
    if by_hand:
        are = "is" if len(by_hand) == 1 else "are"
        advice = (
            f"{format_count(len(by_hand), 'row')} of locked-out owners {are} left by such a sweep. Look at each, and "
            f"remove it if nobody needs it{warn_of_working(by_hand)}."
        )
        yield _step_for_removing(advice, [row.row_name for row in by_hand], report)


def _steps_for_reasons(report: Report) -> Iterator[StepPart]:
    """What to do about keys in plain text, and about rows that make LISA fail."""
    keys = [each for each in report.findings if PLAIN_TEXT_KEY in each.reasons or KEY_NOT_A_SHA256 in each.reasons]
    if keys:
        yield from _steps_for_keys(keys, report)
    breaking = [each for each in report.findings if not BREAKING.isdisjoint(each.reasons)]
    if breaking:
        advice = (
            f"Correct {format_count(len(breaking), 'row')} of this report that LISA fails on: its list of tokens "
            "breaks for everybody, or API Gateway rejects the token. The finding names the attribute; correct it in "
            "DynamoDB, or make a successor of a token that LISA's API accepts, and then remove the old row with "
            "`janitor token remove`. While the row stands, LISA gives its owner no new token."
        )
        yield StepPart(advice, _list_commands_for(breaking, report))


def _steps_for_keys(keys: Sequence[Finding], report: Report) -> Iterator[StepPart]:
    """What to do about these rows, whose keys stand in the table as they are used."""
    yield StepPart(
        f"Treat the keys of {format_count(len(keys), 'row')} of this report as leaked: they stand in the table as they "
        "are used. One may be LISA's management key, which lisa-sdk leaves there and LISA accepts everywhere: rotate "
        "it. A client that needs its key gets a hashed row from `janitor token import`. Then remove the rows: LISA "
        "gives their owners no new tokens while they stand."
    )
    dead, left = list[Finding](), list[Finding]()
    for each in keys:
        if each.protected_by is None and each.outcome not in _GONE:
            is_dead = may_go_by_sweep(each) and _is_past_grace(each, report)
            (dead if is_dead else left).append(each)
    if dead:
        are = "is" if len(dead) == 1 else "are"
        include = "" if "legacy" in report.policy.include else " --include legacy"
        plan = f"{_sweep_command(report)}{include} --plan legacy.ndjson"
        yield StepPart(
            f"{format_count(len(dead), 'row')} of these {are} past date and grace. Plan to delete, and read the plan.",
            (plan, _apply_command(report, "legacy.ndjson")),
        )
    if left:
        row_name_of = choose_row_names(report.findings)
        advice = (
            f"A sweep leaves {format_count(len(left), 'row')} of these: without a date, with a broken one, or with one "
            "that is not past the grace. Look at each, and remove it; that ends what MCP Workbench still accepts."
        )
        yield _step_for_removing(advice, [row_name_of(each) for each in left], report)


def _is_past_grace(finding: Finding, report: Report) -> bool:
    return finding.seconds_to_expiry is not None and finding.seconds_to_expiry <= -report.policy.grace_seconds


def _step_for_removing(advice: str, row_names: Sequence[str], report: Report) -> StepPart:
    """Make a step with the commands that remove the first of these rows, and how many there are besides."""
    # No source takes part in a removal: it is of the table whose copy was read, if that is known.
    where = format_target_of(report) if report.tables[0].source else f" {_target_options(report)}"
    more = len(row_names) - _MAX_REMOVES
    rest = f" Here for the first {_MAX_REMOVES}; {more:,} more in the same way." if more > 0 else ""
    return StepPart(
        f"{advice}{rest}", tuple(f"janitor token remove {quote_word(name)}{where}" for name in row_names[:_MAX_REMOVES])
    )


def _list_commands_for(breaking: Sequence[Finding], report: Report) -> tuple[str, ...]:
    """List the commands that show the first of these findings, and what its successor would be."""
    table, row_name_of = report.only_table, choose_row_names(report.findings)
    if table is None or table.source is not None:
        return ()
    commands = [f"janitor token show {row_name_of(breaking[0])} {_target_options(report)}"]
    accepted = next((row_name_of(each) for each in breaking if Gate.API in each.accepted_by), None)
    if accepted is not None:
        commands.append(f"janitor token rotate {accepted} {_target_options(report)} --expires-in 90d --dry-run")
    return tuple(commands)


def _steps_for_owners(report: Report) -> Iterator[StepPart]:
    if report.counts.expiring:
        advice = "Tell the owners of the tokens that expire next. All of them, as a spreadsheet:"
        yield StepPart(advice, (f"{_scan_command(report)} --report csv=tokens.csv",))
    if report.idle is not None and report.idle.owners:
        owners = format_count(len(report.idle.owners), "owner")
        since = _format_duration(report.idle.after_seconds)
        yield StepPart(f"Ask {owners} not seen for {since} whether the token is still needed: it works.")
    accepted = sum(1 for each in report.findings if each.accepted_by and each.state not in _STATES_WITH_OWN_STEPS)
    if accepted:
        lets = f"{format_count(accepted, 'row')} of this report still {'lets' if accepted == 1 else 'let'} somebody in"
        why = "with no date or a broken one"
        yield StepPart(
            f"{lets}, {why}. No sweep deletes a row that LISA accepts: give it a date with `janitor token extend`, "
            "which a legacy row does not take, or remove it with `janitor token remove`. LISA 6.1 and later give its "
            "owner no new token before it is gone."
        )
    if report.findings_omitted:
        yield StepPart(
            "See the findings that this report leaves out.",
            (f"{_command_again(report)} --report ndjson=findings.ndjson",),
        )


def _command_again(report: Report) -> str:
    """The command of the run itself; not sorted, so that a report that streams may have every row."""
    listing = report.listing
    if report.run.command == "sweep":
        return _sweep_command(report) + (" --delete" if report.deletion.enabled else "")
    if listing is None:
        return _scan_command(report)
    chosen = [("state", state.value) for state in listing.states]
    chosen += [("user", pattern) for pattern in listing.users]
    chosen += [("name", pattern) for pattern in listing.names]
    chosen += [("group", pattern) for pattern in listing.groups]
    options = "".join(f" --{name} {quote_word(value)}" for name, value in chosen)
    return f"{_scan_command(report, 'scan' if listing.only_findings else 'token list')}{options}"


def _scan_command(report: Report, command: str = "scan") -> str:
    is_listing = command != "scan"
    return f"janitor {command} {_target_options(report)}{_within(report)}{_rule_options(report, is_listing=is_listing)}"


def _within(report: Report) -> str:
    thresholds = sorted(report.policy.thresholds_seconds, reverse=True)[:_MAX_THRESHOLDS]
    return "".join(f" --expiring-within {_format_duration(seconds)}" for seconds in thresholds)


def _sweep_command(report: Report) -> str:
    """The sweep of this run, or one by its rules; without --delete."""
    within = "" if tuple(report.policy.thresholds_seconds) == _USUAL_THRESHOLDS else _within(report)
    include = "".join(f" --include {kind}" for kind in report.policy.include)
    options = f"{_rule_options(report)}{include}{_narrowing_options(report)}{report.tables[0].options.deletion}"
    return f"janitor sweep {_target_options(report)}{within}{options}"


def _apply_command(report: Report, plan: str) -> str:
    # The plan itself has the rules.
    options = report.tables[0].options
    rules = f"{_narrowing_options(report)}{options.protection}{options.deletion}"
    return f"janitor apply {quote_word(plan)}{format_target_of(report)}{rules}"


def _narrowing_options(report: Report) -> str:
    """What the run was limited to: a next step that leaves it out would let more rows go."""
    given = {"user": report.policy.users, "fingerprint": report.policy.fingerprints}
    return "".join(f" --{name} {quote_word(each)}" for name, patterns in given.items() for each in patterns)


def _rule_options(report: Report, *, is_listing: bool = False) -> str:
    policy = report.policy
    gates = "" if Gate.WORKBENCH in policy.gates else " --gates api"
    early = policy.unlock_after_seconds
    unlock_after = "" if early is None or is_listing else f" --unlock-after {_format_duration(early)}"
    protection = report.tables[0].options.protection
    return f" --grace {_format_duration(policy.grace_seconds)}{unlock_after}{gates}{protection}"


def _target_options(report: Report) -> str:
    table, dialect = report.only_table, report.policy.dialect
    assert table is not None  # noqa: S101  # steps are of one table
    source = f" --source {quote_word(table.source)}" if table.source else ""
    # A source that does not say which table its rows are of has its own name, which is not a table's.
    target = format_target(table.name if table.region else None, table.region, table.endpoint)
    target += table.options.connection
    return f"{source}{target}{f' --dialect {dialect.value}' if dialect else ''}".strip()


def _format_duration(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
