"""The result of a table's sweep. By itself, so that a scan, which has an empty one, imports nothing of sweeps."""

import msgspec

from janitor.report.model import Deletion, Remark


class SweepResult(msgspec.Struct):
    """The result of a table's sweep; empty for a run without one.

    Attributes:
        deletion: the part of the report.
        errors, warnings: for the report.
        is_refused: whether a guard refused to delete.
        would_be_refused: in a dry run, whether a guard would refuse to delete.
        unlisted: how many rows of the plan no report has a line of.
    """

    deletion: Deletion = msgspec.field(default_factory=Deletion)
    errors: list[Remark] = msgspec.field(default_factory=list)
    warnings: list[Remark] = msgspec.field(default_factory=list)
    is_refused: bool = False
    would_be_refused: bool = False
    unlisted: int = 0
