"""Prepares the listing of a table: `janitor token list`."""

from msgspec import structs

from janitor.readers.listing import Listing, Order
from janitor.run.spec import Prices
from janitor.settings.token_read import ListCommand, ListingSettings
from janitor.stopping import Stop
from janitor.tokens.classify import State
from janitor.wiring.open_table import TableInRun, open_table
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import TableRunParameters, make_policy, read_fingerprint_key
from janitor.wiring.readers import check_readers, count_threads, make_reader
from janitor.wiring.run_spec import PreparedTable
from janitor.wiring.scan import prepare_table


def prepare_listing(settings: ListCommand, run_id: str, stop: Stop, _: TableInRun | None) -> PreparedTable:
    """Find the table and prepare its listing. No row is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_readers(settings.limits)
    check_reports(settings.output)
    fingerprint_key = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=count_threads(settings.limits),
        max_rcu=settings.limits.max_rcu,
    )
    table = opened.table
    policy = make_policy(settings.policy, settings.protection, table.dialect)
    now = opened.earlier_time() if as_of is None else as_of
    parameters = TableRunParameters(
        run_id=run_id,
        policy=policy,
        now=now,
        as_of=as_of,
        fingerprint_key=fingerprint_key,
        is_dry_run=True,
    )
    reader = make_reader(opened, settings.limits, settings.table, stop)
    prices = Prices(settings.limits.read_price, 0.0)
    prepared = prepare_table(opened, stop, parameters, reader, rows=table.item_count, prices=prices)
    return prepared.with_spec(rules=structs.replace(prepared.spec.rules, listing=_make_listing(settings.listing)))


def _make_listing(settings: ListingSettings) -> Listing:
    sort = settings.sort
    return Listing(
        states=tuple(State(state) for state in settings.state),
        users=settings.user,
        names=settings.name,
        order=Order(sort.removeprefix("-"), sort.startswith("-")) if sort else None,
    )
