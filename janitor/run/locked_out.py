"""Finds the owners whom LISA lets create no token until their rows are gone.

LISA 6.1 and later refuse a new token to a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`),
whatever its state. The scan sees every row that LISA's API rejects, but no active ones, so the owners of refused rows
are looked up. An owner with an accepted row needs no other one.
"""

from collections.abc import Collection

import msgspec

from janitor.readers.interface import Rules
from janitor.report.model import LockedOutOwner, LockingRow, Remark
from janitor.run.owner_rows import visit_rows_of_owners
from janitor.run.spec import OwnerLookup
from janitor.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Gate
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.lockout import find_remedy
from janitor.tokens.row import Row

# An owner's rows that the report names; of each state, remedy and accepting gate at least one.
_MAX_NAMED_ROWS = 5


class LockedOut(msgspec.Struct, frozen=True):
    """What the look-ups found.

    Attributes:
        owners: those with a refused row and no accepted one, sorted.
        unchecked: how many owners with a refused row were not looked up.
        read_units: what the look-ups cost.
    """

    owners: tuple[LockedOutOwner, ...] = ()
    unchecked: int = 0
    read_units: float = 0.0


class _RowsSeen(msgspec.Struct):
    """What was seen of an owner's rows."""

    rows: int = 0
    named: list[LockingRow] = msgspec.field(default_factory=list)
    has_accepted: bool = False


def find_locked_out(candidates: Collection[str], lookup: OwnerLookup, rules: Rules, stop: Stop) -> LockedOut:
    """Look up at most 500 of the candidates; all of them in a source.

    Args:
        candidates: owners with a refused row, of whom the scan saw no accepted one.
        lookup: how to read their rows.
        rules: the rules by which rows are judged.
        stop: a request leaves the rest unchecked.

    Raises:
        JanitorError: the index or the source could not be read.
    """
    seen: dict[str, _RowsSeen] = {}

    def visit(owner: str, row: Row) -> bool:
        of_owner = seen.setdefault(owner, _RowsSeen())
        verdict = classify(row, rules.now, rules.policy)
        if Gate.API in verdict.accepted_by:
            of_owner.has_accepted = True
            return False
        of_owner.rows += 1
        remedy = find_remedy(row, verdict, rules.now, rules.policy)
        kind = (verdict.state, remedy, verdict.accepted_by)
        is_new_kind = all((each.state, each.remedy, each.accepted_by) != kind for each in of_owner.named)
        if is_new_kind or len(of_owner.named) < _MAX_NAMED_ROWS:
            fingerprint = compute_fingerprint(row, rules.policy.dialect, rules.fingerprint_key)
            row_name = make_row_name(row, fingerprint, rules.fingerprint_key)
            of_owner.named.append(LockingRow(row_name, *kind))
        return True

    looked_up = visit_rows_of_owners(candidates, lookup, stop, visit)
    # An owner without any row was let in again, for example by this run's own deletes.
    owners = [
        LockedOutOwner(
            username=owner,
            rows=of_owner.named,
            rows_omitted=of_owner.rows - len(of_owner.named),
            table=rules.label,
        )
        for owner, of_owner in sorted(seen.items())
        if owner in looked_up.owners and of_owner.rows and not of_owner.has_accepted
    ]
    return LockedOut(tuple(owners), len(candidates) - len(looked_up.owners), looked_up.read_units)


def build_unchecked_warnings(owners: int, rows: int) -> list[Remark]:
    """Build the warning that so many owners, and the owners of so many rows, were not looked up; empty for none."""
    if not owners and not rows:
        return []
    unchecked = [f"{owners:,} more owners of rows that LISA's API rejects"] if owners else []
    unchecked += [f"the owners of {rows:,} more rows that it rejects"] if rows else []
    message = f"{' and '.join(unchecked)} were not looked up; they may be locked out too"
    return [Remark(where="locked_out", code="unchecked", message=message)]
