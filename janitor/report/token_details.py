"""What `token show` says of a token, `janitor.token/v1`. Outside scripts read these keys: every one is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal, NamedTuple

from janitor.report.build import build_finding
from janitor.report.encode import Part
from janitor.report.model import Finding, PolicyPart, TablePart
from janitor.tokens.attributes import list_attributes
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Gate
from janitor.tokens.expiration import calendar_time
from janitor.tokens.explain import LockoutExplanation, explain_gates, explain_state, explain_sweep
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row

SCHEMA = "janitor.token/v1"


class AttributePart(Part, frozen=True):
    """An attribute as it is stored: its DynamoDB type, and its value as a text; null for a binary value."""

    name: str
    type: str
    value: str | None


class RulePart(Part, frozen=True):
    """A rule for a state, whether it matches, and the values that it compared. The first rule that matches wins."""

    state: State
    condition: str
    matches: bool
    why: str


class GatePart(Part, frozen=True):
    """Whether a gate of LISA accepts the token; `until` is null if it rejects it, or accepts it for ever."""

    gate: Gate
    accepts: bool
    why: str
    until: dt.datetime | None


class SweepPart(Part, frozen=True):
    """What a sweep would do with the row now.

    `deletable_from` is when a sweep may first delete it, if it were not protected; null for never. `include` is what
    --include has to name for that; null for nothing.
    """

    deletes: bool
    deletable_from: dt.datetime | None
    include: Literal["legacy", "undated"] | None
    protected_by: str | None
    why: str


class OwnerPart(Part, frozen=True):
    """Whether the row keeps its owner from creating a token; null if that cannot happen, or is not known."""

    locked_out: bool | None
    why: str


class RowPart(Part, frozen=True):
    """One row: its finding as in a report, all attributes but the key, and why it has its state."""

    token: Finding
    attributes: list[AttributePart]
    rules: list[RulePart]
    gates: list[GatePart]
    sweep: SweepPart
    owner: OwnerPart


class TokenDetails(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """A token, judged at `now`. It has two rows if its legacy row is still in the table."""

    table: TablePart
    policy: PolicyPart
    now: dt.datetime
    rows: list[RowPart]


class LookedUpRow(NamedTuple):
    """A row that was found, its item as DynamoDB JSON, and whether its owner is locked out."""

    row: Row
    item: bytes
    lockout: LockoutExplanation


def build_token_details(
    rows: Iterable[LookedUpRow],
    *,
    table: TablePart,
    policy: Policy,
    now: int,
    as_of: int | None,
    fingerprint_key: bytes | None,
) -> TokenDetails:
    """Build everything about these rows of one token.

    Args:
        rows: the rows.
        table: where they stand.
        policy: the rules by which they are judged.
        now: the UNIX second at which they are.
        as_of: the time the user gave instead of the present.
        fingerprint_key: the key of fingerprints, None for plain ones.
    """
    return TokenDetails(
        table=table,
        policy=PolicyPart(
            dialect=policy.dialect,
            thresholds_seconds=list(policy.thresholds),
            grace_seconds=policy.grace,
            as_of=None if as_of is None else calendar_time(as_of),
            gates=policy.gates,
        ),
        now=calendar_time(now) or dt.datetime.max.replace(tzinfo=dt.UTC),
        rows=[_build_row(row, policy, now, fingerprint_key) for row in rows],
    )


def _build_row(rows: LookedUpRow, policy: Policy, now: int, fingerprint_key: bytes | None) -> RowPart:
    row = rows.row
    sweep = explain_sweep(row, now, policy)
    return RowPart(
        token=build_finding(row, classify(row, now, policy), now=now, policy=policy, fingerprint_key=fingerprint_key),
        attributes=[AttributePart(**row._asdict()) for row in list_attributes(rows.item)],
        rules=[RulePart(**rule._asdict()) for rule in explain_state(row, now, policy)],
        gates=[
            GatePart(gate=gate.gate, accepts=gate.accepts, why=gate.why, until=_optional_time(gate.until))
            for gate in explain_gates(row, now, policy.dialect)
            if gate.gate in policy.gates
        ],
        sweep=SweepPart(
            deletes=sweep.deletes,
            deletable_from=_optional_time(sweep.deletable_from),
            include=sweep.needs_include,
            protected_by=sweep.protected_by,
            why=sweep.why,
        ),
        owner=OwnerPart(**rows.lockout._asdict()),
    )


def _optional_time(second: int | None) -> dt.datetime | None:
    return None if second is None else calendar_time(second)
