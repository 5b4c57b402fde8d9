"""Prepares the listing of a table: `janitor token list`."""

from janitor.readers.listing import Listing, Order
from janitor.settings.token_read import ListCommand, ListingSettings
from janitor.stopping import Stop
from janitor.tokens.classify import State
from janitor.wiring.job import PreparedTable
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import Terms, make_policy, read_fingerprint_key
from janitor.wiring.readers import check_readers, reader_for, thread_count
from janitor.wiring.scan import prepare_table
from janitor.wiring.table import PlaceInRun, open_table


def prepare_listing(settings: ListCommand, run_id: str, stop: Stop, _: PlaceInRun | None) -> PreparedTable:
    """Find the table and prepare its listing. No row is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_readers(settings.limits)
    check_reports(settings.output)
    secret = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=thread_count(settings.limits),
        max_rcu=settings.limits.max_rcu,
    )
    table = opened.table
    policy = make_policy(settings.policy, settings.protection, table.dialect)
    now = opened.earlier_time() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run=True)
    reader = reader_for(opened, settings.limits, settings.table, stop)
    prices = (settings.limits.read_price, 0.0)
    prepared = prepare_table(opened, stop, terms, reader, rows=table.item_count, prices=prices)
    return prepared.with_job(listing=_listing(settings.listing))


def _listing(settings: ListingSettings) -> Listing:
    sort = settings.sort
    return Listing(
        states=tuple(State(state) for state in settings.state),
        users=settings.user,
        names=settings.name,
        order=Order(sort.removeprefix("-"), sort.startswith("-")) if sort else None,
    )
