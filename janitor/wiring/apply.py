"""The carrying out of a plan file, as a job: its rows come from the file, and the rest is a sweep."""

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

from janitor.archive.plan import Header, PlanTable, is_unknown
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.decode import Page
from janitor.errors import ConfigurationError
from janitor.readers.pages import Pages
from janitor.settings.commands import ApplyCommand
from janitor.settings.table import ProtectionSettings, TableSettings
from janitor.stopping import Stop
from janitor.tokens.policy import Policy
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.archives import check_archive
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.job import Prepared
from janitor.wiring.notices import check_notices, metric_files, state_file
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import Terms
from janitor.wiring.scan import announcing_for, prepared_for
from janitor.wiring.stores import lease_for
from janitor.wiring.sweep import announced_by, archive_file, sweep_of, ttl_remarks
from janitor.wiring.table import OpenTable, PlaceInRun, names_a_table, open_table

_ROWS_A_PAGE = 1_000


def prepare_apply(plan: Path, given: ApplyCommand, run_id: str, stop: Stop, _: PlaceInRun | None) -> Prepared:
    """Check the plan, find its table, and put the carrying out together; nothing of the table's rows is read yet.

    Raises:
        ConfigurationError: the plan is none, is damaged or cut off, or is another table's; or a setting is wrong.
        AwsError: AWS refused or could not be reached.
    """
    _check(plan, given)
    reader = plan_at(plan)
    reader.check(partial=given.apply.partial)
    closing = reader.closing
    secret = secret_in(given.protection.fingerprint_key_file)
    reached = reach_table_of(reader, given.table, given.writes.max_wcu)
    policy = _policy(reader.header, given.protection)
    now = reached.present()
    terms = Terms(run_id, policy, now, None, secret, given.apply.dry_run)
    announcing = announcing_for(
        given.notices,
        given.state,
        reached,
        stop,
        terms,
        remembers=False,
        requires_notice=given.deletion.require_notice,
        attempts_of=given.deletion.lease_holder,
    )
    sweep = sweep_of(
        reached,
        given.deletion,
        stop,
        terms,
        plan=None,
        announced=announced_by(announcing, given.deletion, now),
        lease=lease_for(
            given.state,
            given.notices,
            reached.aws,
            reached.table,
            run_id,
            attempts_of=given.deletion.lease_holder,
        ),
    )
    population = None if closing is None or is_unknown(closing) else closing
    rows, prices = closing.rows if closing else 0, (0.0, given.deletion.write_price)
    return prepared_for(
        reached, stop, terms, Pages(lambda: _pages(reader)), rows=rows, prices=prices, deletes=sweep.is_enabled
    ).doing(
        sweep=dataclasses.replace(sweep, reviewed_plan=plan, population=lambda _: population),
        announcer=announcing.announcer if announcing else None,
        unused_patterns=_unused_patterns(reader, given.protection),
        remarks=ttl_remarks(reached),
    )


def _check(plan: Path, given: ApplyCommand) -> None:
    """Settings that contradict each other, before anything is asked of AWS."""
    check_archive(given.deletion)
    check_reports(
        given.output,
        [("the plan", plan), *archive_file(given.deletion), *state_file(given.state), *metric_files(given.notices)],
    )
    check_notices(given.notices, given.state, requires_notice=given.deletion.require_notice, as_of=None)


def plan_at(path: Path) -> PlanReader:
    """The plan or archive in this file.

    Raises:
        ConfigurationError: it cannot be read, or is none.
    """
    try:
        return PlanReader(str(path), lambda: path.open("rb"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", "check the path", "plan-path") from None


def reach_table_of(reader: PlanReader, settings: TableSettings, max_wcu: float | None = None) -> OpenTable:
    """Find the table that a plan is of: the one it names, unless the user names it, and that has to be the same.

    Raises:
        ConfigurationError: it is another table, or a table of that name in another region or account.
        AwsError: AWS refused or could not be reached.
    """
    planned = reader.header.table
    settings = _of_the_plan(settings, planned)
    reached = open_table(settings, dialect=reader.header.policy.dialect, max_wcu=max_wcu)
    table = reached.table
    found = {"table": table.name, "region": table.region, "account": table.account_id}
    named = {"table": planned.name, "region": planned.region, "account": planned.account_id}
    for what, name in named.items():
        # A plan from a dump does not know the account: the dump did not say it.
        if name is not None and found[what] != name:
            raise ConfigurationError(
                f"{reader.name} is of the {what} {name}, and this is {found[what]}",
                "use the credentials and the options that the plan was made with",
                "other-table",
            )
    return reached


def naming_the_table(plan: Path, given: ApplyCommand) -> ApplyCommand:
    """The same, with the plan's own table where the user names none: so that whatever is said of the run names it.

    A plan that cannot be read changes nothing; what is wrong with it is said once it is needed. Nor does one that is no
    file, which may keep whoever reads it waiting, and has no end but the deadline's.
    """
    if not plan.is_file():
        return given
    try:
        planned = plan_at(plan).header.table
    except ConfigurationError:
        return given
    return given._replace(table=_of_the_plan(given.table, planned))


def _of_the_plan(settings: TableSettings, planned: PlanTable) -> TableSettings:
    if names_a_table(settings):
        return settings
    return dataclasses.replace(settings, table=planned.name, region=settings.region or planned.region)


def _policy(header: Header, protection: ProtectionSettings) -> Policy:
    """The plan's own rules; what it protects stays protected, and more may be."""
    planned = header.policy
    return Policy(
        dialect=planned.dialect,
        thresholds=tuple(planned.thresholds_seconds),
        grace=max(0, planned.grace_seconds),
        include_legacy="legacy" in planned.include,
        protect_users=(*planned.protect_users, *protection.protect_user),
        protect_system=planned.protect_system or protection.protect_system,
    )


def _unused_patterns(reader: PlanReader, protection: ProtectionSettings) -> UnusedPatterns:
    """Those that may protect nobody. What the plan protects itself has no row in it, which is no sign of that.

    Of its own patterns the plan says at its end which had fitted no row; where it was cut off, nobody knows.
    """
    planned = reader.header.policy.protect_users
    unused = planned if reader.closing is None else reader.closing.unused_patterns
    return UnusedPatterns([*unused, *(pattern for pattern in protection.protect_user if pattern not in planned)])


def _pages(reader: PlanReader) -> Iterator[Page]:
    rows = reader.rows()
    while chunk := list(itertools.islice(rows, _ROWS_A_PAGE)):
        items = b",".join(bytes(row.item) for row in chunk)
        yield Page(b'{"Items":[%b],"Count":%d,"ScannedCount":%d}' % (items, len(chunk), len(chunk)))
