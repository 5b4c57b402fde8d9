"""A listing of a table, as a job."""

from janitor.readers.listing import Listing, Order
from janitor.settings.token_read import ListCommand, ListingSettings
from janitor.stopping import Stop
from janitor.tokens.classify import State
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.job import Prepared
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import Terms, policy_of
from janitor.wiring.readers import check_readers, reader_for, threads_of
from janitor.wiring.scan import prepared_for
from janitor.wiring.table import PlaceInRun, open_table


def prepare_listing(settings: ListCommand, run_id: str, stop: Stop, _: PlaceInRun | None) -> Prepared:
    """Find the table and put a listing of it together; nothing of its rows is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_readers(settings.limits)
    check_reports(settings.output)
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=threads_of(settings.limits),
        max_rcu=settings.limits.max_rcu,
    )
    table = reached.table
    policy = policy_of(settings.policy, settings.protection, table.dialect)
    now = reached.present() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run=True)
    reader = reader_for(reached, settings.limits, settings.table, stop)
    prices = (settings.limits.read_price, 0.0)
    prepared = prepared_for(reached, stop, terms, reader, rows=table.item_count, prices=prices)
    return prepared.doing(listing=_listing(settings.listing))


def _listing(settings: ListingSettings) -> Listing:
    sort = settings.sort
    return Listing(
        states=tuple(State(state) for state in settings.state),
        users=settings.user,
        names=settings.name,
        order=Order(sort.removeprefix("-"), sort.startswith("-")) if sort else None,
    )
