"""Rows that go before their grace is over, because they keep their owner from a new token (`--unlock-after`).

    reading ──rows in their grace──> EarlyRows ──end of the table──> look up owners ──locked out──> plan, as `stale`
                                                                           └──any other──> report, as `expired`

Whoever reads a plan before saying yes gives an owner time to make a token, so a sweep looks the owners of the plan up
again just before its deletes begin.

LISA gives a new token to nobody who has any row. So an owner's rows go early only if the API of LISA accepts none of
that owner's rows, and if the plan then holds all of them: taking one of two would let nobody in, and only cost the
grace of the one. The rows wait in memory, at most 4 MiB of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.interface import DeletableRow, JudgedRow, Rules
from janitor.readers.judging import is_included
from janitor.readers.tally import Tally
from janitor.report.model import Remark
from janitor.run.finding_collector import FindingCollector
from janitor.run.owner_rows import OwnersRead, visit_rows_of_owners
from janitor.run.planning import are_announced, plan_rows
from janitor.run.spec import OwnerLookup, TableSpec
from janitor.run.sweep_result import SparedOwners
from janitor.tokens.classify import classify, is_deletable
from janitor.tokens.dialect import Gate
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.tokens.lockout import UNLOCKS_OWNER
from janitor.tokens.protection import find_protection
from janitor.tokens.row import Row, text_of
from janitor.tokens.words import format_count

if TYPE_CHECKING:
    from janitor.run.sweep import Sweep

log = get_logger("janitor.run")

_MAX_BYTES = 4 * 2**20


class EarlyRows:
    """The rows of a table that may go early, by owner, until their owners are looked up.

    Attributes:
        by_owner: the rows.
        left_out: how many more there were than it has room for.
    """

    def __init__(self, rules: Rules, tally: Tally) -> None:
        """Start without rows; `rules` are those of the run, and `tally` counts the owners of rows that stay."""
        self._rules, self._tally = rules, tally
        self._bytes = 0
        self.by_owner: dict[str, list[DeletableRow]] = {}
        self.left_out = 0

    def take_from(self, rows: Sequence[DeletableRow]) -> tuple[list[DeletableRow], list[JudgedRow]]:
        """Take the rows that may only go early.

        Returns:
            the other rows, which may go whoever owns them; and those that there is no room for, as rows that stay.
        """
        others: list[DeletableRow] = []
        staying: list[JudgedRow] = []
        for row in rows:
            if UNLOCKS_OWNER not in row.found.verdict.reasons:
                others.append(row)
            elif self._bytes + len(row.item) > _MAX_BYTES:
                self.left_out += 1
                staying.append(self.judge_by_grace(row))
            else:
                self._bytes += len(row.item)
                self.by_owner.setdefault(text_of(row.found.row.username) or "", []).append(row)
        return others, staying

    def judge_by_grace(self, row: DeletableRow) -> JudgedRow:
        """Judge a row that stays by the grace, as any other row."""
        verdict = classify(row.found.row, self._rules.now, self._rules.policy)
        self._tally.owners.add(row.found.row, verdict)
        return JudgedRow(row.found.row, verdict)


class _SeenOwner(msgspec.Struct):
    """What a look-up showed of an owner's rows: whether the API accepts one, and whether one will not be planned."""

    has_accepted: bool = False
    has_staying: bool = False


class UnlockResult(msgspec.Struct):
    """What became of the rows that could go early.

    Attributes:
        plan_errors: why the plan is not complete, so that nothing may be deleted.
        owners: those whose rows are planned early.
        errors, warnings: for the report.
        read_units: what looking up their owners cost.
    """

    plan_errors: list[Remark] = msgspec.field(default_factory=list)
    owners: set[str] = msgspec.field(default_factory=set)
    errors: list[Remark] = msgspec.field(default_factory=list)
    warnings: list[Remark] = msgspec.field(default_factory=list)
    read_units: float = 0.0


def settle_early_rows(
    early_rows: EarlyRows, spec: TableSpec, rules: Rules, tally: Tally, findings: FindingCollector, *, is_complete: bool
) -> UnlockResult:
    """Look up the owners; plan the rows that keep them out, and report the others.

    Args:
        early_rows: the rows.
        spec: what is to be done with the table.
        rules: the rules by which its rows are judged.
        tally: counts each row in its state.
        findings: gets the rows that are not planned.
        is_complete: whether the table was read to its end. If not, nobody is looked up, and nothing goes early.
    """
    result = UnlockResult()
    seen, freed = dict[str, _SeenOwner](), set[str]()
    if is_complete and early_rows.by_owner:
        looked_up = _look_up(early_rows, spec, rules, seen, result)
        tally.read_units += looked_up.read_units
        result.read_units = looked_up.read_units
        freed = {
            owner
            for owner in looked_up.owners
            if (of_owner := seen.get(owner)) is not None and not (of_owner.has_accepted or of_owner.has_staying)
        }
    for owner, rows in early_rows.by_owner.items():
        if owner in seen and seen[owner].has_accepted:
            tally.owners.accepted.add(owner)
        if owner in freed and spec.sweep is not None and not are_announced(rows, spec.sweep):
            tally.waiting += len(rows)
            tally.withheld += len(rows)
            freed.remove(owner)
        if owner not in freed:
            findings.add([early_rows.judge_by_grace(row) for row in rows])
            continue
        for row in rows:
            tally.change_state(classify(row.found.row, rules.now, rules.policy).state, row.found.verdict.state)
        result.plan_errors += _take_early(rows, spec, rules, tally, findings)
    result.owners = freed
    if is_complete:
        result.warnings += _build_warnings(early_rows, seen)
    return result


def find_owners_to_spare(owners: Collection[str], spec: TableSpec, rules: Rules, tally: Tally) -> SparedOwners:
    """Look up again the owners whose rows are planned early, just before the deletes begin.

    Args:
        owners: their names.
        spec: what is done with the table.
        rules: the rules by which its rows are judged.
        tally: counts the read units.

    Returns:
        those who have a row by now that LISA's API accepts; those who could not be looked up, and why.
    """
    if not owners:
        return SparedOwners()
    let_in, errors = set[str](), list[Remark]()

    def visit(owner: str, row: Row) -> bool:
        if Gate.API in classify(row, rules.now, rules.policy).accepted_by:
            let_in.add(owner)
        return owner not in let_in

    looked_up = OwnersRead()
    try:
        looked_up = visit_rows_of_owners(owners, spec.owners, spec.stop, visit, most=len(owners))
    except JanitorError as error:
        log.error("unlock.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        message = f"--unlock-after: nothing was deleted early, because owners could not be looked up again: {error}"
        errors.append(Remark(where="unlock-after", code=error.code, message=message))
    tally.read_units += looked_up.read_units
    return SparedOwners(frozenset(let_in), frozenset(owners) - looked_up.owners - let_in, tuple(errors))


def _look_up(
    early_rows: EarlyRows, spec: TableSpec, rules: Rules, seen: dict[str, _SeenOwner], result: UnlockResult
) -> OwnersRead:
    """Look up every owner, also those of more rows than the report of locked-out owners looks up."""
    keys = {row.found.row.key.S for rows in early_rows.by_owner.values() for row in rows}

    def visit(owner: str, row: Row) -> bool:
        of_owner = seen.setdefault(owner, _SeenOwner())
        if Gate.API in classify(row, rules.now, rules.policy).accepted_by:
            of_owner.has_accepted = True
        elif not _will_be_planned(row, keys, rules, spec.sweep):
            of_owner.has_staying = True
        return not of_owner.has_accepted

    if spec.owners == OwnerLookup():
        message = "--unlock-after had no effect: there is no way to look up the other rows of an owner here"
        result.warnings.append(Remark(where="unlock-after", code="no-look-up", message=message))
        return OwnersRead()
    try:
        return visit_rows_of_owners(early_rows.by_owner, spec.owners, spec.stop, visit, most=len(early_rows.by_owner))
    except JanitorError as error:
        log.error("unlock.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        message = f"--unlock-after: nothing was planned early, because owners could not be looked up: {error}"
        result.errors.append(Remark(where="unlock-after", code=error.code, message=message))
        return OwnersRead()


def _will_be_planned(row: Row, keys: set[str | None], rules: Rules, sweep: Sweep | None) -> bool:
    """Whether the plan takes a row: it waits to go early, or its grace is over."""
    if find_protection(row, rules.policy) is not None:
        return False
    if row.key.S in keys:
        return True
    verdict = classify(row, rules.now, rules.policy)
    if not is_deletable(verdict, rules.now, rules.policy) or not is_included(row, rules):
        return False
    fingerprint = compute_fingerprint(row, rules.policy.dialect, rules.fingerprint_key)
    return sweep is None or are_announced([DeletableRow(b"", fingerprint, JudgedRow(row, verdict))], sweep)


def _take_early(
    rows: Sequence[DeletableRow],
    spec: TableSpec,
    rules: Rules,
    tally: Tally,
    findings: FindingCollector,
) -> list[Remark]:
    """Plan the rows in a sweep, else report them as what a sweep would plan; return why that failed."""
    if spec.sweep is None:
        for row in rows:
            tally.owners.add(row.found.row, row.found.verdict)
        findings.add([row.found for row in rows])
        return []
    try:
        findings.add(plan_rows(rows, spec.sweep, tally, rules.fingerprint_key))
    except SinkError as error:
        return [Remark(where="plan", code=error.code, message=str(error))]
    return []


def _build_warnings(early_rows: EarlyRows, seen: dict[str, _SeenOwner]) -> list[Remark]:
    kept_out = sum(of_owner.has_staying and not of_owner.has_accepted for of_owner in seen.values())
    messages = {}
    if kept_out:
        messages["kept-out"] = (
            f"{format_count(kept_out, 'owner')} would stay locked out: --unlock-after took none of their rows early, "
            "because another of their rows may not be deleted; see what would remove it"
        )
    if early_rows.left_out:
        rows = format_count(early_rows.left_out, "more expired row")
        messages["left-out"] = f"--unlock-after left out {rows}, because there are too many for one run; run it again"
    return [Remark(where="unlock-after", code=code, message=message) for code, message in messages.items()]
