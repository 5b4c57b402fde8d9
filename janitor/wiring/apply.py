"""Prepares `janitor apply`: the rows come from a plan file, and the rest is a sweep."""

import dataclasses
import itertools
import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from janitor.archive.plan import PlanHeader, PlanTable, ScanFacts, is_unknown
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.decode import Page
from janitor.errors import ConfigurationError
from janitor.readers.in_process import PageReader
from janitor.run.spec import Prices
from janitor.settings.commands import ApplyCommand
from janitor.settings.table import ProtectionSettings, TableSettings
from janitor.stopping import Stop
from janitor.tokens.narrowing import Narrowing
from janitor.tokens.policy import Policy
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.archives import check_archive
from janitor.wiring.command_options import describe_apply_options
from janitor.wiring.monitoring import list_metric_files
from janitor.wiring.open_table import OpenTable, TableInRun, names_a_table, open_table
from janitor.wiring.outlets import check_reports
from janitor.wiring.plans import read_policy
from janitor.wiring.policy import TableRunParameters, read_fingerprint_key
from janitor.wiring.run_spec import PreparedTable
from janitor.wiring.scan import check_notices, prepare_table, set_up_notices
from janitor.wiring.stores import list_state_files, make_table_lease
from janitor.wiring.sweep import (
    build_sweep,
    check_notice_age,
    find_ttl_warnings,
    list_archive_files,
    make_announced_check,
)

_ROWS_A_PAGE = 1_000


def prepare_apply(plan: Path, settings: ApplyCommand, run_id: str, stop: Stop, _: TableInRun | None) -> PreparedTable:
    """Check the plan, find its table, and prepare the sweep of its rows. No row of the table is read yet.

    Raises:
        ConfigurationError: the file is not a plan, is damaged or cut off, or is for another table; or a setting is
            wrong.
        AwsError: AWS refused or could not be reached.
    """
    _check_settings(plan, settings)
    reader = open_plan(plan)
    reader.check(partial=settings.apply.partial)
    closing = reader.closing
    fingerprint_key = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_table_of_plan(reader, settings.table, settings.writes.max_wcu)
    policy = _combine_policy(reader.header, settings)
    now = opened.earlier_time()
    parameters = TableRunParameters(
        run_id=run_id,
        policy=policy,
        now=now,
        as_of=None,
        fingerprint_key=fingerprint_key,
        is_dry_run=settings.apply.dry_run,
    )
    table_notices = set_up_notices(
        settings.notices,
        settings.state,
        opened,
        stop,
        parameters,
        remembers=False,
        requires_notice=settings.deletion.require_notice,
        attempts_of=settings.deletion.lease_holder,
    )
    options = describe_apply_options(plan, settings)
    sweep = build_sweep(
        opened,
        settings.deletion,
        stop,
        structs.replace(parameters, connection=options.connection),
        plan=None,
        find_announced=make_announced_check(table_notices, settings.deletion, now),
        lease=make_table_lease(
            settings.state,
            settings.notices,
            opened.aws,
            opened.table,
            run_id,
            attempts_of=settings.deletion.lease_holder,
        ),
    )
    scan_facts = None if closing is None or is_unknown(closing) else closing
    rows, prices = closing.rows if closing else 0, Prices(0.0, settings.deletion.write_price)
    return prepare_table(
        opened,
        stop,
        parameters,
        PageReader(lambda: _read_pages(reader)),
        rows=rows,
        prices=prices,
        deletes=sweep.is_enabled,
    ).with_spec(
        options=options,
        sweep=dataclasses.replace(
            sweep,
            plan=dataclasses.replace(sweep.plan, reviewed_path=plan),
            guards=dataclasses.replace(
                sweep.guards, choose_scan_facts=lambda scanned: _add_withheld(scan_facts, scanned)
            ),
        ),
        announcer=table_notices.announcer if table_notices else None,
        unused_patterns=_list_unused_patterns(reader, settings.protection),
        remarks=find_ttl_warnings(opened),
    )


def _check_settings(plan: Path, settings: ApplyCommand) -> None:
    """Check that the settings do not contradict each other, before AWS is asked anything."""
    check_archive(settings.deletion)
    check_notice_age(settings.deletion)
    check_reports(
        settings.output,
        [
            ("the plan", plan),
            *list_archive_files(settings.deletion),
            *list_state_files(settings.state),
            *list_metric_files(settings.notices),
        ],
    )
    check_notices(settings.notices, settings.state, requires_notice=settings.deletion.require_notice, as_of=None)


def open_plan(path: Path) -> PlanReader:
    """Open the plan or archive in this file.

    Raises:
        ConfigurationError: the file cannot be read, or is neither.
    """
    try:
        return PlanReader(str(path), lambda: path.open("rb"))
    except IsADirectoryError:
        way_out = f"name a file; `janitor archive list {shlex.quote(str(path))}` lists the archives in it"
        raise ConfigurationError(f"{path} is a folder", way_out, "plan-path") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", "check the path", "plan-path") from None


def open_table_of_plan(reader: PlanReader, settings: TableSettings, max_wcu: float | None = None) -> OpenTable:
    """Find the table of a plan. A table that the user names has to be the plan's own.

    Raises:
        ConfigurationError: it is another table, or a table of that name in another region or account.
        AwsError: AWS refused or could not be reached.
    """
    planned = reader.header.table
    settings = _name_planned_table(settings, planned)
    opened = open_table(settings, dialect=reader.header.policy.dialect, max_wcu=max_wcu)
    table = opened.table
    found = {"table": table.name, "region": table.region, "account": table.account_id}
    named = {"table": planned.name, "region": planned.region, "account": planned.account_id}
    for what, name in named.items():
        # A plan that was made from a dump does not know the account: a dump does not say it.
        if name is not None and found[what] != name:
            raise ConfigurationError(
                f"{reader.name} holds rows of the {what} {name}, and this run would use {found[what]}",
                "use the credentials and the options that the plan was made with",
                "other-table",
            )
    return opened


def default_to_planned_table(plan: Path, settings: ApplyCommand) -> ApplyCommand:
    """Fill in the plan's table where the user names none, so that every message about the run names it.

    A plan that cannot be read leaves the settings as they are; `prepare_apply` raises why. So does what is no regular
    file: reading a pipe, for example, could wait for ever.
    """
    if not plan.is_file():
        return settings
    try:
        planned = open_plan(plan).header.table
    except ConfigurationError:
        return settings
    return settings._replace(table=_name_planned_table(settings.table, planned))


def _name_planned_table(settings: TableSettings, planned: PlanTable) -> TableSettings:
    if names_a_table(settings):
        return settings
    return dataclasses.replace(settings, table=planned.name, region=settings.region or planned.region)


def _combine_policy(header: PlanHeader, settings: ApplyCommand) -> Policy:
    """The plan's own rules. The settings may protect more owners and leave out more rows, never fewer."""
    planned, protection = read_policy(header), settings.protection
    return structs.replace(
        planned,
        protect_users=(*planned.protect_users, *protection.protect_user),
        protect_system=planned.protect_system or protection.protect_system,
        narrowing=Narrowing(settings.apply.user, settings.apply.fingerprint, within=planned.narrowing or None),
    )


def _add_withheld(scan_facts: ScanFacts | None, scanned: ScanFacts) -> ScanFacts | None:
    """Add the rows of the plan that this run withholds to those that the plan's own scan did."""
    if scan_facts is None:
        return None
    return structs.replace(scan_facts, withheld=scan_facts.withheld + scanned.withheld)


def _list_unused_patterns(reader: PlanReader, protection: ProtectionSettings) -> UnusedPatterns:
    """The patterns that may protect nobody.

    The plan's own patterns cannot fit a row of the plan, because it has no protected rows. So its last line names those
    that fitted none in the table. Where a plan was cut off nobody knows, and all of them count.
    """
    planned = reader.header.policy.protect_users
    unused = planned if reader.closing is None else reader.closing.unused_patterns
    return UnusedPatterns([*unused, *(pattern for pattern in protection.protect_user if pattern not in planned)])


def _read_pages(reader: PlanReader) -> Iterator[Page]:
    rows = reader.rows()
    while chunk := list(itertools.islice(rows, _ROWS_A_PAGE)):
        items = b",".join(bytes(each.planned.item) for each in chunk)
        yield Page(b'{"Items":[%b],"Count":%d,"ScannedCount":%d}' % (items, len(chunk), len(chunk)))
