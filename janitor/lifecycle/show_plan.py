"""`plan show`: print what is in a plan or an archive. Asks nothing of DynamoDB."""

import shutil
import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import click
from msgspec import structs

from janitor.archive.plan import PlanHeader, is_unknown
from janitor.archive.plan_reader import PlanReader, ReadRow
from janitor.errors import ConfigurationError, ExitCode
from janitor.lifecycle.archive_summary import (
    OUTCOMES,
    complete_command,
    count_outcomes,
    make_restore_command,
    name_table,
)
from janitor.report.build import build_finding, build_policy_part
from janitor.report.encode import encode_json_line, encode_json_page
from janitor.report.formats.csv import CsvFormat
from janitor.report.formats.ndjson import NdjsonFormat
from janitor.report.model import Finding
from janitor.report.plan_details import PlanDetails, PlanRules, render_plan_details
from janitor.report.target_options import quote_word
from janitor.settings.stored_archives import ConnectionSettings, PlanShowSettings
from janitor.terminal import shows_colours
from janitor.tokens.classify import classify
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.expiration import calendar_time, parse_iso_second
from janitor.tokens.lockout import UNLOCKS_OWNER, judge_early
from janitor.tokens.meaning import explain_deletion
from janitor.tokens.policy import Policy
from janitor.tokens.redact import redact_pattern
from janitor.wiring.plans import read_policy
from janitor.wiring.stored_archives import open_archives

# Used for a file or a pipe: wide enough for most values.
_FILE_WIDTH = 160
_LINES_AT_ONCE = 500
_NO_OUTCOME = -1


def show_plan(place: str, settings: PlanShowSettings, connection: ConnectionSettings) -> int:
    """Print on standard output what is in a plan or an archive.

    Args:
        place: its path, or the URL of an archive in S3.
        settings: in which format.
        connection: how to reach S3.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: there is no plan, it is damaged, or there are archives of several runs.
        AwsError: S3 refused or could not be reached.
    """
    # The objects of an archive come newest first, and the newest one has the last rows.
    parts = [*open_archives(place, connection.without_table)][::-1]
    _check_one_run(place, parts)
    outcomes = [_read_outcomes(part) for part in parts]
    details = _describe(place, parts, outcomes, connection)
    findings = _read_findings(parts, outcomes)
    is_terminal = sys.stdout.isatty()
    match settings.format or ("table" if is_terminal else "json"):
        case "csv":
            _print_lines(CsvFormat(), findings)
        case "ndjson":
            _print_lines(NdjsonFormat(), findings)
            click.echo(encode_json_line(details))
        case chosen:
            listed = list(islice(findings, settings.max_findings))
            whole = structs.replace(details, findings=listed, findings_omitted=details.rows - len(listed))
            if chosen == "json":
                click.echo(encode_json_page(whole))
            else:
                width = shutil.get_terminal_size().columns if is_terminal else _FILE_WIDTH
                click.echo(render_plan_details(whole, width=width, colour=shows_colours(sys.stdout)), nl=False)
    return ExitCode.DONE


def _check_one_run(place: str, parts: Sequence[PlanReader]) -> None:
    if not parts:
        raise ConfigurationError(f"{place} holds no plan and no archive", "check the path or the prefix", "no-archive")
    if len({part.header.run_id for part in parts}) > 1:
        way_out = "show one of those that `janitor archive list` names"
        raise ConfigurationError(f"{place} holds archives of several runs", way_out, "several-archives")


def _read_outcomes(part: PlanReader) -> "array[int]":
    """Read a file to its end, which also checks it; return the outcome of each row, as its place in `OUTCOMES`."""
    outcomes = array("b")
    for entry in part.unique_entries():
        if isinstance(entry, ReadRow):
            outcomes.append(_NO_OUTCOME)
        elif 0 <= entry.number < len(outcomes) and entry.outcome in OUTCOMES:
            outcomes[entry.number] = OUTCOMES.index(DeletionOutcome(entry.outcome))
    return outcomes


def _describe(
    place: str, parts: Sequence[PlanReader], outcomes: Sequence["array[int]"], connection: ConnectionSettings
) -> PlanDetails:
    """Describe the plan without its rows."""
    header, closings = parts[0].header, [part.closing for part in parts]
    counts = Counter(each for of_part in outcomes for each in of_part)
    rows = counts.total()
    is_archive = counts[_NO_OUTCOME] < rows or place.startswith("s3://")
    is_complete = None not in closings
    policy = read_policy(header)
    facts = closings[0] if len(parts) == 1 else None
    partial = "" if is_complete else " --partial"
    apply = complete_command(f"janitor apply {quote_word(place)}{partial} --dry-run", connection)
    return PlanDetails(
        location=place,
        kind="archive" if is_archive else "plan",
        complete=is_complete,
        table=name_table(header),
        run_id=header.run_id,
        version=header.version,
        created_at=calendar_time(parse_iso_second(header.created_at) or 0),
        now=calendar_time(header.now),
        policy=build_policy_part(policy, as_of=header.as_of),
        rules=PlanRules(
            protect_users=list(map(redact_pattern, policy.protect_users)), protect_system=policy.protect_system
        ),
        scanned=None if facts is None or is_unknown(facts) else facts.scanned,
        rows=rows,
        outcomes=count_outcomes({OUTCOMES[each]: count for each, count in counts.items() if each != _NO_OUTCOME}, rows),
        findings=[],
        findings_omitted=0,
        next_command=make_restore_command(place, connection) if is_archive else apply,
    )


def _read_findings(parts: Sequence[PlanReader], outcomes: Sequence["array[int]"]) -> Iterator[Finding]:
    """Read every row as a finding: judged as the run judged it, under the name that the run gave it."""
    for part, of_part in zip(parts, outcomes, strict=True):
        policy = read_policy(part.header)
        for read, outcome in zip(part.rows(), of_part, strict=True):
            known = None if outcome == _NO_OUTCOME else OUTCOMES[outcome]
            yield _build_finding(read, part.header, policy, known)


def _build_finding(read: ReadRow, header: PlanHeader, policy: Policy, outcome: DeletionOutcome | None) -> Finding:
    planned, row = read
    early = judge_early(row, header.now, policy) if UNLOCKS_OWNER in planned.reasons else None
    verdict = early or classify(row, header.now, policy)
    finding = build_finding(row, verdict, now=header.now, policy=policy, fingerprint_key=None, outcome=outcome)
    # The run may have had a key for its fingerprints.
    finding.fingerprint, finding.row_name = planned.fingerprint, planned.row_name
    # By the rules, whatever became of it: an archive of `token remove` has rows that no sweep would delete.
    finding.why = explain_deletion(row, verdict, header.now, policy, is_planned=early is not None)
    return finding


def _print_lines(writer: CsvFormat | NdjsonFormat, findings: Iterator[Finding]) -> None:
    click.echo(writer.head(), nl=False)
    while batch := list(islice(findings, _LINES_AT_ONCE)):
        click.echo(writer.lines(batch), nl=False)
