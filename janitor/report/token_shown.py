"""What `token show` says of a token, `janitor.token/v1`. Outside scripts read these keys: every one is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal, NamedTuple

from janitor.report.build import finding
from janitor.report.encode import Part
from janitor.report.model import Finding, PolicyPart, TablePart
from janitor.tokens.attributes import attributes
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Gate
from janitor.tokens.expiration import moment
from janitor.tokens.explain import Lockout, gate_rules, rules, sweeping
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row

SCHEMA = "janitor.token/v1"


class AttributePart(Part, frozen=True):
    """An attribute as it is stored: its type in DynamoDB, and its value as a text; null for a binary."""

    name: str
    type: str
    value: str | None


class RulePart(Part, frozen=True):
    """A rule that gives a row its state, whether it matches, and the values compared. The first that matches wins."""

    state: State
    condition: str
    matches: bool
    why: str


class GatePart(Part, frozen=True):
    """What a gate of LISA says to the token; `until` is null where it refuses, or never stops to accept."""

    gate: Gate
    accepts: bool
    why: str
    until: dt.datetime | None


class SweepPart(Part, frozen=True):
    """What a sweep would do with the row now.

    `deletable_from` is the first moment at which one may take it, its protection aside; null for never. `include` names
    what a sweep has to be told with --include for it to be so, null for nothing.
    """

    deletes: bool
    deletable_from: dt.datetime | None
    include: Literal["legacy"] | None
    protected_by: str | None
    why: str


class OwnerPart(Part, frozen=True):
    """Whether the row keeps its owner from creating a token; null where the question does not arise, or is open."""

    locked_out: bool | None
    why: str


class RowPart(Part, frozen=True):
    """One row: its line as in a report, all attributes but the key, and why it is what it is."""

    token: Finding
    attributes: list[AttributePart]
    rules: list[RulePart]
    gates: list[GatePart]
    sweep: SweepPart
    owner: OwnerPart


class TokenShown(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """A token, judged at `now`. Two rows where the legacy row of a token still stands beside its present one."""

    table: TablePart
    policy: PolicyPart
    now: dt.datetime
    rows: list[RowPart]


class LookedUpRow(NamedTuple):
    """A row that was found, all of it as DynamoDB JSON, and what is known of its owner."""

    row: Row
    item: bytes
    lockout: Lockout


def token_shown(
    found: Iterable[LookedUpRow], *, table: TablePart, policy: Policy, now: int, as_of: int | None, secret: bytes | None
) -> TokenShown:
    """Everything about these rows of one token.

    Args:
        found: the rows.
        table: where they stand.
        policy: the rules by which they are judged.
        now: the UNIX second at which they are.
        as_of: the time the user gave instead of the present.
        secret: the key of fingerprints, None for plain ones.
    """
    return TokenShown(
        table=table,
        policy=PolicyPart(
            dialect=policy.dialect,
            thresholds_seconds=list(policy.thresholds),
            grace_seconds=policy.grace,
            as_of=None if as_of is None else moment(as_of),
        ),
        now=moment(now) or dt.datetime.max.replace(tzinfo=dt.UTC),
        rows=[_row(each, policy, now, secret) for each in found],
    )


def _row(found: LookedUpRow, policy: Policy, now: int, secret: bytes | None) -> RowPart:
    row = found.row
    swept = sweeping(row, now, policy)
    return RowPart(
        token=finding(row, classify(row, now, policy), now=now, policy=policy, secret=secret),
        attributes=[AttributePart(**each._asdict()) for each in attributes(found.item)],
        rules=[RulePart(**rule._asdict()) for rule in rules(row, now, policy)],
        gates=[
            GatePart(gate=gate.gate, accepts=gate.accepts, why=gate.why, until=_moment(gate.until))
            for gate in gate_rules(row, now, policy.dialect)
        ],
        sweep=SweepPart(
            deletes=swept.deletes,
            deletable_from=_moment(swept.deletable_from),
            include="legacy" if swept.needs_include else None,
            protected_by=swept.protected_by,
            why=swept.why,
        ),
        owner=OwnerPart(**found.lockout._asdict()),
    )


def _moment(second: int | None) -> dt.datetime | None:
    return None if second is None else moment(second)
