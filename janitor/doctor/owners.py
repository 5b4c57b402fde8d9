"""Owners whom LISA lets create no token, as far as the first page of the table and a few look-ups show them."""

import time

from janitor.doctor.needs import Needs
from janitor.doctor.table import FoundTable
from janitor.dynamodb.cost import read_first_page
from janitor.dynamodb.owner_query import read_owner_pages
from janitor.errors import JanitorError
from janitor.readers.interface import Rules
from janitor.readers.judging import judge_page
from janitor.report.checkup import Check, failed_check, passed_check, skipped_check
from janitor.report.lockout_text import describe_locked_out, list_ways_out
from janitor.report.target_options import format_target
from janitor.run.locked_out import LockedOut, find_locked_out
from janitor.run.spec import OwnerLookup
from janitor.settings.doctor import DoctorCommand
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.policy import Policy
from janitor.tokens.words import format_count, list_some
from janitor.wiring.budgets import compute_unit_limits, make_budgets
from janitor.wiring.policy import read_fingerprint_key

_OWNERS = "owners"
_MAX_LOOKED_UP = 20
_MAX_NAMED = 5


def examine_owners(needs: Needs, settings: DoctorCommand, found: FoundTable) -> Check:
    """Look for owners who are locked out, and say what would let them in again; a warning if there are any.

    As for the estimate, no page is read of a provisioned table, nor under --max-rcu.
    """
    skip_reason = _find_skip_reason(needs, settings, found)
    if skip_reason is not None:
        return skipped_check(_OWNERS, skip_reason)
    try:
        rows, locked_out = _look(settings, found)
    except JanitorError as error:
        return skipped_check(_OWNERS, f"not checked: {error.sentence}")
    scope = f"of the first {format_count(rows, 'row')}"
    if locked_out.unchecked:
        scope += f" ({locked_out.unchecked:,} more owners were not looked up)"
    if not locked_out.owners:
        return passed_check(_OWNERS, f"no owner {scope} is locked out", needed=False)
    named = list_some([describe_locked_out(owner) for owner in locked_out.owners], _MAX_NAMED)
    are = "is" if len(locked_out.owners) == 1 else "are"
    described = f"{format_count(len(locked_out.owners), 'owner')} {scope} {are} locked out: {named}"
    assert found.table is not None  # noqa: S101  # it was read
    target = format_target(found.table.name, found.table.region, found.table.endpoint)
    way_out = f"remove {'; '.join(list_ways_out(locked_out.owners, target))}"
    return failed_check(_OWNERS, described, way_out, needed=False)


def _find_skip_reason(needs: Needs, settings: DoctorCommand, found: FoundTable) -> str | None:
    if found.aws is None or found.table is None:
        return found.skip_reason
    if not needs.scans:
        return "not checked: this command does not read the whole table"
    if found.table.dialect is Dialect.CLASSIC or not found.table.has_owner_index:
        return "not checked: only LISA 6.1 and later count a user's rows, by their index"
    if compute_unit_limits(found.table.throughput, max_rcu=settings.limits.max_rcu, max_wcu=None)[0] is not None:
        return "not checked: it would use up capacity; `janitor scan` names who is locked out"
    return None


def _look(settings: DoctorCommand, found: FoundTable) -> tuple[int, LockedOut]:
    """Read the first page and look up at most 20 of its owners; return how many rows it has, and who is locked out."""
    assert found.aws is not None  # noqa: S101  # asked by the caller
    assert found.table is not None  # noqa: S101
    client, table = found.aws.dynamodb, found.table
    key = read_fingerprint_key(settings.doctor.fingerprint_key_file)
    policy = Policy(
        dialect=table.dialect,
        protect_users=settings.doctor.protect_user,
        protect_system=settings.doctor.protect_system,
        has_workbench=Gate.WORKBENCH in settings.doctor.gates,
    )
    rules = Rules(policy=policy, now=int(time.time()), fingerprint_key=key)
    page = read_first_page(client, table.name, rules.policy, rules.now)
    budgets = make_budgets(found.aws, table)
    lookup = OwnerLookup(lambda owner: read_owner_pages(client, table.name, owner, budgets))
    candidates = sorted(judge_page(page, rules).tally.owners.candidates)
    locked_out = find_locked_out(candidates[:_MAX_LOOKED_UP], lookup, rules, Stop())
    unchecked = locked_out.unchecked + max(0, len(candidates) - _MAX_LOOKED_UP)
    return page.scanned, LockedOut(locked_out.owners, unchecked, locked_out.read_units)
