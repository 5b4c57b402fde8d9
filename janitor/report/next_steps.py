"""What to do next: commands of janitor, chosen by what the report holds, complete as they are to be typed.

None deletes before somebody has looked: `janitor sweep --delete` and `janitor apply` show the rows, and ask. And none
may do more than the report shows: where an option that decides about rows cannot be repeated as it was, there is a
sentence and no command.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from janitor.report.combine import split_by_table
from janitor.report.finding_cells import choose_row_names
from janitor.report.guard_rows import list_refusing_guards
from janitor.report.lockout_text import warn_of_working
from janitor.report.model import MATCHES_NOTHING, NOT_CONFIRMED, Finding, ListingPart, Outcome, Report, StepPart
from janitor.report.reason_remarks import may_go_by_sweep
from janitor.report.target_options import format_target, format_target_of, quote_word
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import format_for_command
from janitor.tokens.lockout import Remedy
from janitor.tokens.reasons import BREAKING, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from janitor.tokens.times import format_iso
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

# A table's name has none of them; the label of a table or the name of a source may.
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")

_NOTHING = StepPart("Nothing calls for action. Have the next run scheduled, and look again then.")


def list_steps(report: Report) -> Iterator[StepPart]:
    """List the steps, the most urgent first; of several tables the first step of each, then the second ones."""
    if report.is_of_several:
        yield from _list_steps_of_tables(report)
        return
    steps = [
        *_steps_for_unfinished(report),
        *_steps_for_unmatched(report),
        *_steps_for_plan(report),
        *_steps_after_deletes(report),
        *_steps_for_reasons(report),
        *_steps_for_owners(report),
    ]
    yield from steps or [_NOTHING]


def _steps_for_unmatched(report: Report) -> Iterator[StepPart]:
    """What to do where nothing goes because --user and --fingerprint match no row that may."""
    if report.deletion.planned == 0 and any(warning.code == MATCHES_NOTHING for warning in report.warnings):
        plan = report.deletion.plan if _is_apply(report) else None
        commands = (f"janitor plan show {quote_word(plan)}",) if plan else ()
        yield StepPart("Nothing goes: no row that may be deleted matches. Correct --user or --fingerprint.", commands)


def choose_first_steps(report: Report) -> list[StepPart]:
    """Choose the steps that a report for people ends with, and say how many more the page and the JSON have."""
    most = _MAX_STEPS_OF_SEVERAL if report.is_of_several else _MAX_FIRST_STEPS
    more = len(report.next_steps) - most
    if more <= 0:
        return report.next_steps
    rest = StepPart(f"And {format_count(more, 'more step')}: `--report html=PATH` and `--format json` have all.")
    return [*report.next_steps[:most], rest]


def list_all_command(report: Report) -> str:
    """The command that lists every finding of such a run, with its outcome, and deletes nothing.

    Empty for a run of several tables, and if it cannot be shown whole.
    """
    if report.is_of_several or report.tables[0].options.withheld:
        return ""
    dry_run = " --dry-run" if _is_apply(report) else ""
    findings = _name_file(report, "findings.ndjson")
    return f"{_command_again(report).removesuffix(' --delete')}{dry_run} --report ndjson={findings}"


def _list_steps_of_tables(report: Report) -> Iterator[StepPart]:
    of_tables = [
        [StepPart(f"{table.label}: {step.advice}", step.commands) for step in list_steps(each) if step != _NOTHING]
        for table, each in zip(report.tables, split_by_table(report), strict=True)
    ]
    # The first step of each table, then the second ones, so that the first few of a report are of all tables.
    labeled = [step for of_one_rank in zip_longest(*of_tables) for step in of_one_rank if step is not None]
    yield from labeled[:_MAX_STEPS] or [_NOTHING]
    if len(labeled) > _MAX_STEPS:
        yield StepPart(f"And {len(labeled) - _MAX_STEPS:,} more: run the tables one at a time to see them.")


def _steps_for_unfinished(report: Report) -> Iterator[StepPart]:
    is_partial = any(error.where == "scan" for error in report.errors)
    if is_partial or report.run.outcome in (Outcome.INTERRUPTED, Outcome.SKIPPED):
        what = "plan" if _is_apply(report) else "table"
        advice = f"Run it again: this report does not cover the whole {what}."
        # How a table was named that was not reached, the report does not know.
        is_reached = report.policy.dialect is not None
        yield _make_step(advice, (_command_again(report),), report) if is_reached else StepPart(advice)
    elif any(error.code == NOT_CONFIRMED for error in report.errors):
        advice = "Nobody confirmed the deletes. Run it again, and answer y, or give --yes."
        yield _make_step(advice, (_command_again(report),), report)
    elif report.run.outcome is Outcome.REFUSED:
        yield StepPart(
            "A guard refused to delete. See above why, read the plan, and raise a limit only if the plan is right."
        )


def _steps_for_plan(report: Report) -> Iterator[StepPart]:
    deletion = report.deletion
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
    elif report.run.only_reads and (stale := _describe_stale(report)) and not _is_filtered(report.listing):
        yield _step_for_planning(f"{stale}. Plan the deletes, and read the plan.", report)
    elif left and not _is_apply(report):
        are = "is" if left == 1 else "are"
        yield _step_for_planning(
            f"{format_count(left, 'row')} {are} left. Keep the plan, read it, and apply it.", report
        )


def _describe_stale(report: Report) -> str:
    """Say how many rows are past the grace, without those that a sweep spares where all are listed; empty for none."""
    count = report.counts.stale
    listed = [each for each in report.findings if each.state is State.STALE]
    are_all_listed = len(listed) == count
    if are_all_listed:
        count = sum(each.protected_by is None for each in listed)
    if not count:
        return ""
    are = "is" if count == 1 else "are"
    return f"{format_count(count, 'row')} {are} past the grace{'' if are_all_listed else ', protected ones included'}"


def _steps_after_dry_run(report: Report) -> Iterator[StepPart]:
    """How to do what the dry run has rehearsed: delete at once, or keep a plan that somebody reads first."""
    deletion, rows = report.deletion, format_count(report.deletion.planned, "row")
    refusing = list_refusing_guards(report)
    if refusing:
        advice = (
            f"Nothing would be deleted: see why the guards would refuse ({', '.join(refusing)}). Read the plan, and if "
            "it is right, carry it out with the option that the guard names."
        )
        if deletion.plan:
            yield StepPart(advice, (f"janitor plan show {quote_word(deletion.plan)}",))
        else:
            plan = _name_file(report, "plan.ndjson")
            commands = (f"{_sweep_command(report)} --plan {plan}", f"janitor plan show {plan}")
            yield _make_step(advice, commands, report)
    elif deletion.plan and deletion.planned:
        yield _step_for_applying(report, deletion.plan)
    elif deletion.planned and (report.tables[0].source is not None or report.policy.as_of is not None):
        yield _step_for_planning(f"{rows} would be deleted. Keep the plan, read it, and apply it.", report)
    elif deletion.planned:
        advice = f"Delete {rows}. On a terminal it shows the list again, and asks."
        yield _make_step(advice, (f"{_sweep_command(report)} --delete",), report)
        yield _step_for_planning("Or keep the plan for somebody else to read, and apply that.", report)
    elif deletion.waiting:
        advice = "Tell the owners, which starts the time of their notice. Nothing is deleted before that is over."
        yield _make_step(advice, (f"{_sweep_command(report)} --delete",), report)


def _step_for_planning(advice: str, report: Report, *, more: str = "", file: str = "plan.ndjson") -> StepPart:
    """Make a step with a sweep by the run's rules that keeps a plan, and the command that applies it.

    `more` are options that add to the rules, each with a space before it; `file` is how the plan's name ends.
    """
    plan = _name_file(report, file)
    if _is_apply(report):
        # The run knows its own options, but not all of those that its plan was made with.
        return StepPart(f"{advice} Give `janitor sweep{more}` the options that this plan was made with.")
    return _make_step(advice, (f"{_sweep_command(report)}{more} --plan {plan}", _apply_command(report, plan)), report)


def _step_for_applying(report: Report, plan: str) -> StepPart:
    apply = _apply_command(report, plan)
    return _make_step("Apply the plan, once you have read it.", (f"{apply} --dry-run", apply), report)


def _make_step(advice: str, commands: tuple[str, ...], report: Report) -> StepPart:
    """Make a step with commands that repeat the run's options, or without them if they would do more than the run."""
    options = report.tables[0].options
    if options.withheld:
        what = " and ".join(options.withheld)
        why = f"No command is shown, because {what} cannot be shown, and without it other rows could be taken."
        return StepPart(f"{advice} {why} Give the options of this run again, all of them.")
    note = f" Give {' and '.join(options.left_out)} again as before: here they are left out."
    return StepPart(f"{advice}{note if options.left_out else ''}", commands)


def _steps_after_deletes(report: Report) -> Iterator[StepPart]:
    restore = report.deletion.restore_command
    if restore and report.deletion.archive and report.deletion.deleted:
        advice = "If a row should not have been deleted: see what would be restored, then leave out `--dry-run`."
        yield StepPart(advice, (f"{restore} --dry-run",))
    yield from _steps_for_locked_out(report)


def _steps_for_locked_out(report: Report) -> Iterator[StepPart]:
    rows = [row for owner in report.lockouts for row in owner.rows]
    remedies = {row.remedy for row in rows}
    planned = {Remedy.UNLOCK_AFTER, Remedy.INCLUDE_LEGACY} if _may_include_legacy(report) else {Remedy.UNLOCK_AFTER}
    if remedies & planned and not _is_filtered(report.listing):
        is_new = Remedy.INCLUDE_LEGACY in remedies & planned and "legacy" not in report.policy.include
        include = " --include legacy" if is_new else ""
        advice = "Let the locked-out owners in again before the grace is over: plan the rows that keep them out."
        unlock_after = "" if report.policy.unlock_after_seconds is not None else " --unlock-after 1h"
        yield _step_for_planning(advice, report, more=f"{unlock_after}{include}", file="locked-out.ndjson")
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
    if dead and not _may_include_legacy(report):
        yield StepPart(
            f"{format_count(len(dead), 'row')} of these may go in a sweep with --include legacy, which "
            "--require-notice excludes."
        )
    elif dead and not _is_filtered(report.listing):
        are = "is" if len(dead) == 1 else "are"
        include = "" if "legacy" in report.policy.include else " --include legacy"
        advice = (
            f"{format_count(len(dead), 'row')} of these {are} past date and grace. Plan to delete, and read the plan."
        )
        yield _step_for_planning(advice, report, more=include, file="legacy.ndjson")
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
    where += report.tables[0].options.naming
    more = len(row_names) - _MAX_REMOVES
    rest = f" Here for the first {_MAX_REMOVES}; {more:,} more in the same way." if more > 0 else ""
    commands = tuple(f"janitor token remove {quote_word(name)}{where}" for name in row_names[:_MAX_REMOVES])
    # It deletes the one row that it names: what the run protects or leaves out does not matter.
    return StepPart(f"{advice}{rest}", () if _is_place_withheld(report) else commands)


def _list_commands_for(breaking: Sequence[Finding], report: Report) -> tuple[str, ...]:
    """List the commands that show the first of these findings, and what its successor would be."""
    table, row_name_of = report.only_table, choose_row_names(report.findings)
    if table is None or table.source is not None or _is_place_withheld(report):
        return ()
    where = f"{_target_options(report)}{table.options.naming}"
    commands = [f"janitor token show {row_name_of(breaking[0])} {where}"]
    accepted = next((row_name_of(each) for each in breaking if Gate.API in each.accepted_by), None)
    if accepted is not None:
        commands.append(f"janitor token rotate {accepted} {where} --expires-in 90d --dry-run")
    return tuple(commands)


def _steps_for_owners(report: Report) -> Iterator[StepPart]:
    asked_for = report.listing.states if report.listing else []
    if report.counts.expiring and (not asked_for or State.EXPIRING in asked_for):
        yield _step_for_spreadsheet(report)
    if report.idle is not None and report.idle.owners:
        owners = format_count(len(report.idle.owners), "owner")
        since = format_for_command(report.idle.after_seconds)
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
        yield _make_step("See the findings that this report leaves out.", (list_all_command(report),), report)


def _step_for_spreadsheet(report: Report) -> StepPart:
    """Make a step with the scan or listing of this run, or a scan by its rules, as a spreadsheet."""
    advice = "Tell the owners of the tokens that expire next."
    if _is_apply(report):
        return StepPart(f"{advice} `janitor scan --report csv=PATH` lists them.")
    again = _scan_command(report) if report.listing is None else _command_again(report)
    return _make_step(
        f"{advice} All of them, as a spreadsheet:",
        (f"{again} --report csv={_name_file(report, 'tokens.csv')}",),
        report,
    )


def _name_file(report: Report, ending: str) -> str:
    """Name a file that a command writes after its table: the commands of several tables must not share one."""
    return f"{_NOT_IN_FILE_NAMES.sub('-', report.tables[0].label)}-{ending}"


def _is_apply(report: Report) -> bool:
    return report.run.command == "apply"


def _is_filtered(listing: ListingPart | None) -> bool:
    """Whether only some rows were asked for; a sweep has no such filters, and would take others too."""
    return listing is not None and bool(listing.states or listing.users or listing.names or listing.groups)


def _may_include_legacy(report: Report) -> bool:
    """Whether a sweep by the run's rules takes --include legacy: --require-notice excludes it."""
    return report.policy.notice_age_seconds is None


def _is_place_withheld(report: Report) -> bool:
    """Whether a command could reach another table or know the rows by other names."""
    options = report.tables[0].options
    return not {"--profile", "--role-arn", "--fingerprint-key-file"}.isdisjoint(options.withheld)


def _command_again(report: Report) -> str:
    """The command of the run itself; not sorted, so that a report that streams may have every row."""
    listing, options = report.listing, report.tables[0].options
    if _is_apply(report):
        return _apply_command(report, options.plan or "")
    if report.run.command == "sweep":
        return _sweep_command(report) + (" --delete" if report.deletion.enabled else "")
    if listing is None:
        return _scan_command(report)
    return f"{_scan_command(report, 'scan' if listing.only_findings else 'token list')}{options.narrowing}"


def _scan_command(report: Report, command: str = "scan") -> str:
    is_listing = command != "scan"
    return f"janitor {command} {_target_options(report)}{_within(report)}{_rule_options(report, is_listing=is_listing)}"


def _within(report: Report) -> str:
    thresholds = sorted(report.policy.thresholds_seconds, reverse=True)[:_MAX_THRESHOLDS]
    return "".join(f" --expiring-within {format_for_command(seconds)}" for seconds in thresholds)


def _sweep_command(report: Report) -> str:
    """The sweep of this run, or one by its rules; without --delete."""
    within = "" if tuple(report.policy.thresholds_seconds) == _USUAL_THRESHOLDS else _within(report)
    include = "".join(f" --include {kind}" for kind in report.policy.include)
    options = report.tables[0].options
    # A listing's filters are no options of a sweep.
    narrowing = "" if report.run.only_reads else options.narrowing
    rules = f"{_rule_options(report)}{include}{narrowing}{options.deletion}{options.reading}"
    return f"janitor sweep {_target_options(report)}{within}{rules}"


def _apply_command(report: Report, plan: str) -> str:
    # The plan itself has the rules.
    options = report.tables[0].options
    narrowing = "" if report.run.only_reads else options.narrowing
    rules = f"{narrowing}{options.protection}{options.naming}{options.deletion}"
    return f"janitor apply {quote_word(plan)}{format_target_of(report)}{rules}"


def _rule_options(report: Report, *, is_listing: bool = False) -> str:
    policy = report.policy
    gates = "" if Gate.WORKBENCH in policy.gates else " --gates api"
    early = policy.unlock_after_seconds
    unlock_after = "" if early is None or is_listing else f" --unlock-after {format_for_command(early)}"
    as_of = "" if policy.as_of is None else f" --as-of {format_iso(policy.as_of)}"
    options = report.tables[0].options
    rules = f" --grace {format_for_command(policy.grace_seconds)}{unlock_after}{gates}{as_of}"
    return f"{rules}{options.protection}{options.naming}"


def _target_options(report: Report) -> str:
    table, dialect = report.only_table, report.policy.dialect
    assert table is not None  # noqa: S101  # steps are of one table
    source = f" --source {quote_word(table.source)}" if table.source else ""
    # A source that does not say which table its rows are of has its own name, which is not a table's.
    target = format_target(table.name if table.region else None, table.region, table.endpoint)
    target += table.options.connection
    return f"{source}{target}{f' --dialect {dialect.value}' if dialect else ''}".strip()
