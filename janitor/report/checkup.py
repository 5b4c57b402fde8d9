"""What the doctor found, `janitor.doctor/v1`. Outside scripts read these keys: every one is always present."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from janitor.errors import JanitorError
from janitor.report.encode import Part

SCHEMA = "janitor.doctor/v1"


class Status(StrEnum):
    """How a check came out. `warning`: not as it should be, and the command goes without it. `skipped`: not checked."""

    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


class Check(Part, frozen=True):
    """One check: what was looked at, what was found, the way out where it is wrong, whether the command needs it."""

    name: str
    status: Status
    found: str
    way_out: str | None = None
    needed: bool = True


SecondsBy = Literal["measured", "usual", "throughput", "budget"]


class Estimate(Part, frozen=True):
    """What a run would cost and take.

    `rows` and `size_bytes` are DynamoDB's own count, about six hours old, unless the table is one page, which is read.
    `seconds_by` says what they were reckoned from: a page of this table that was read now (`measured`), what a page
    usually takes (`usual`), or the read units a second that the table takes (`throughput`) or that the run may take
    (`budget`: `--max-rcu`, or a quarter of what is provisioned). A look-up of each
    owner with an expired row, half a unit and more, comes on top. The last two are null for a command that
    deletes nothing.
    """

    rows: int
    size_bytes: int
    segments: int
    pages: int
    read_units: float
    cost_usd: float
    seconds: float
    seconds_by: SecondsBy
    write_units_per_delete: float | None = None
    cost_usd_per_1000_deletes: float | None = None


class Checkup(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """Every check in order. `ok`: whether the command has all that it needs. `estimate` is null where none is made."""

    command: str
    ok: bool
    checks: list[Check]
    estimate: Estimate | None = None

    @property
    def table_was_looked_at(self) -> bool:
        """Whether a table was named at all, and is there."""
        return any(check.name == "table" and check.status is Status.OK for check in self.checks)


def passed(name: str, found: str, *, needed: bool = True) -> Check:
    """It is as it should be."""
    return Check(name=name, status=Status.OK, found=found, needed=needed)


def skipped(name: str, why: str) -> Check:
    """It was not looked at."""
    return Check(name=name, status=Status.SKIPPED, found=why, needed=False)


def amiss(name: str, found: str, way_out: str | None, *, needed: bool) -> Check:
    """It is not as it should be: failed where the command needs it, else a warning."""
    status = Status.FAILED if needed else Status.WARNING
    return Check(name=name, status=status, found=found, way_out=way_out, needed=needed)


def raised(name: str, error: JanitorError, *, needed: bool) -> Check:
    """It could not be used, for this reason."""
    return amiss(name, error.sentence, error.way_out, needed=needed)


def checkup(command: str, checks: Iterable[Check], estimate: Estimate | None) -> Checkup:
    """The whole, with its verdict."""
    listed = list(checks)
    is_ok = all(check.status is not Status.FAILED for check in listed)
    return Checkup(command=command, ok=is_ok, checks=listed, estimate=estimate)
