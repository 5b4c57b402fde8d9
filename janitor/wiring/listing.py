"""Prepares the listing of a table: `janitor token list`."""

from msgspec import structs

from janitor.readers.listing import Listing, Order
from janitor.run.spec import Prices
from janitor.settings.token_read import ListCommand, ListingSettings
from janitor.stopping import Stop
from janitor.tokens.classify import State
from janitor.wiring.command_options import add_filters, describe_scan_options
from janitor.wiring.last_seen import check_last_seen, make_last_seen
from janitor.wiring.open_table import TableInRun
from janitor.wiring.outlets import check_reports
from janitor.wiring.readers import check_readers, make_reader
from janitor.wiring.run_spec import PreparedTable
from janitor.wiring.scan import check_filters, open_judged_table, prepare_table


def prepare_listing(settings: ListCommand, run_id: str, stop: Stop, _: TableInRun | None) -> PreparedTable:
    """Find the table and prepare its listing. No row is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    check_filters(settings.listing)
    check_last_seen(settings.last_seen)
    check_readers(settings.limits)
    check_reports(settings.output)
    opened, parameters = open_judged_table(settings, run_id, is_dry_run=True)
    reader = make_reader(opened, settings.limits, settings.table, stop)
    prices = Prices(settings.limits.read_price, 0.0)
    prepared = prepare_table(opened, stop, parameters, reader, rows=opened.table.item_count, prices=prices)
    return prepared.with_spec(
        rules=structs.replace(prepared.spec.rules, listing=_make_listing(settings.listing)),
        last_seen=make_last_seen(settings.last_seen, opened, parameters.now, stop),
        options=add_filters(describe_scan_options(settings.table, settings.protection), settings.listing),
    )


def _make_listing(settings: ListingSettings) -> Listing:
    sort = settings.sort
    return Listing(
        states=tuple(State(state) for state in settings.state),
        users=settings.user,
        names=settings.name,
        groups=settings.group,
        order=Order(sort.removeprefix("-"), sort.startswith("-")) if sort else None,
    )
