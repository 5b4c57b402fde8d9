"""What the doctor found, `janitor.doctor/v1`. Outside scripts read these keys: every one is always present."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from janitor.errors import JanitorError
from janitor.report.encode import Part

SCHEMA = "janitor.doctor/v1"


class Status(StrEnum):
    """The result of a check. `warning`: it failed, but the command works without it. `skipped`: it was not made."""

    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


class Check(Part, frozen=True):
    """One check: its name, what was found, what to do if it is wrong, and whether the command needs it."""

    name: str
    status: Status
    found: str
    way_out: str | None = None
    needed: bool = True


SecondsBy = Literal["measured", "usual", "throughput", "budget"]


class Estimate(Part, frozen=True):
    """What a run would cost, and how long it would take.

    `rows` and `size_bytes` are DynamoDB's own count, up to about six hours old, unless the table is one page, which is
    read. `seconds_by` says what `seconds` was estimated from: a page of this table that was just read (`measured`),
    what a page usually takes (`usual`), or the read units a second that the table has (`throughput`) or that the run
    may use (`budget`: `--max-rcu`, or a quarter of what is provisioned). `owner_lookups` are the owners of refused rows
    who are looked up, 500 at most, by the share of them on the page that was read; units, cost and seconds include
    them. It is null where no page is read; then each costs half a read unit more. The last two are null for a command
    that deletes nothing.
    """

    rows: int
    size_bytes: int
    segments: int
    pages: int
    read_units: float
    cost_usd: float
    seconds: float
    seconds_by: SecondsBy
    owner_lookups: int | None = None
    write_units_per_delete: float | None = None
    cost_usd_per_1000_deletes: float | None = None


class Checkup(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """All checks in order. `ok`: whether the command has all that it needs. `estimate` is null if none is made."""

    command: str
    ok: bool
    checks: list[Check]
    estimate: Estimate | None = None

    @property
    def has_checked_table(self) -> bool:
        """Whether a table was named, and exists."""
        return any(check.name == "table" and check.status in (Status.OK, Status.WARNING) for check in self.checks)


def passed_check(name: str, found: str, *, needed: bool = True) -> Check:
    """Build a check that passed."""
    return Check(name=name, status=Status.OK, found=found, needed=needed)


def skipped_check(name: str, why: str) -> Check:
    """Build a check that was skipped."""
    return Check(name=name, status=Status.SKIPPED, found=why, needed=False)


def failed_check(name: str, found: str, way_out: str | None, *, needed: bool) -> Check:
    """Build a check that failed; a warning where the command does not need it."""
    status = Status.FAILED if needed else Status.WARNING
    return Check(name=name, status=status, found=found, way_out=way_out, needed=needed)


def error_check(name: str, error: JanitorError, *, needed: bool) -> Check:
    """Build a check that failed with an error; a warning where the command does not need it."""
    return failed_check(name, error.sentence, error.way_out, needed=needed)


def build_checkup(command: str, checks: Iterable[Check], estimate: Estimate | None) -> Checkup:
    """Build the checkup, with its verdict."""
    listed = list(checks)
    is_ok = all(check.status is not Status.FAILED for check in listed)
    return Checkup(command=command, ok=is_ok, checks=listed, estimate=estimate)
