"""A listing of a table, as a job."""

from msgspec import structs

from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.outlets import check_reports, outlets_for
from janitor.cli.wiring.reach import reach
from janitor.cli.wiring.readers import check_readers, reader_for, threads_of
from janitor.cli.wiring.rules import policy_of
from janitor.cli.wiring.scan import job_for
from janitor.config.token_read import ListCommand, ListingSettings
from janitor.readers.listing import Listing, Order
from janitor.report.model import LIST_COMMAND
from janitor.run.job import Job
from janitor.run.stopping import Stop
from janitor.tokens.classify import State


def listing_job(settings: ListCommand, run_id: str, stop: Stop) -> Job:
    """Find the table and put the run together; nothing of its rows is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    check_readers(settings.limits)
    check_reports(settings.output)
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach(
        settings.table,
        dialect=settings.policy.dialect,
        connections=threads_of(settings.limits),
        max_rcu=settings.limits.max_rcu,
    )
    table = reached.table
    policy = policy_of(settings.policy, settings.protection, table.dialect)
    now = reached.present() if as_of is None else as_of
    listing = _listing(settings.listing)
    job = job_for(
        LIST_COMMAND,
        run_id,
        reached,
        stop,
        policy=policy,
        now=now,
        as_of=as_of,
        reader=reader_for(reached, settings.limits, settings.table, stop),
        rows=table.item_count,
        outlets=outlets_for(settings.output, reached, run_id, stop),
        output=settings.output,
        secret=secret,
        read_price=settings.limits.read_price,
    )
    return structs.replace(job, listing=listing)


def _listing(settings: ListingSettings) -> Listing:
    sort = settings.sort
    return Listing(
        states=tuple(State(state) for state in settings.state),
        users=settings.user,
        names=settings.name,
        order=Order(sort.removeprefix("-"), sort.startswith("-")) if sort else None,
    )
