"""The result of a table's sweep, and who is spared in it. By themselves, so that a scan imports nothing of sweeps."""

from typing import NamedTuple

import msgspec

from janitor.report.model import Deletion, GuardPart, Remark


class SparedOwners(NamedTuple):
    """Owners whose rows do not go early after all.

    Attributes:
        let_in: LISA's API accepts a row of theirs by now.
        unchecked: they could not be looked up again.
        errors: why not, for the report.
    """

    let_in: frozenset[str] = frozenset()
    unchecked: frozenset[str] = frozenset()
    errors: tuple[Remark, ...] = ()


class SweepResult(msgspec.Struct):
    """The result of a table's sweep; empty for a run without one.

    Attributes:
        deletion, guards: the parts of the report.
        errors, warnings: for the report.
        is_refused: whether a guard refused to delete.
        would_be_refused: in a dry run, whether a guard would refuse to delete.
        unlisted: how many rows of the plan no report has a line of.
    """

    deletion: Deletion = msgspec.field(default_factory=Deletion)
    guards: list[GuardPart] = msgspec.field(default_factory=list)
    errors: list[Remark] = msgspec.field(default_factory=list)
    warnings: list[Remark] = msgspec.field(default_factory=list)
    is_refused: bool = False
    would_be_refused: bool = False
    unlisted: int = 0
