"""What a restore says of each row: whose it is, and what would accept it."""

import json

import msgspec
import pytest

from janitor.archive.plan import PlannedRow
from janitor.lifecycle.restore_summary import RestoredRow, RestoreOutcome, RestoreSummary
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.policy import Policy
from tests.unit.rows import NOW, TABLE, row


def restored(key: str, outcome: RestoreOutcome, **attributes: dict[str, str]) -> RestoredRow:
    item = {"token": {"S": key}, "username": {"S": "ana"}, **attributes}
    planned = PlannedRow(0, key[:12], f"{key[:12]}-000000", "stale", msgspec.Raw(json.dumps(item).encode()))
    return RestoredRow(planned, row(item), outcome)


@pytest.mark.parametrize("outcome", [RestoreOutcome.PLANNED, RestoreOutcome.RESTORED])
def test_a_row_that_a_gate_would_accept_is_said_to_be_accepted(outcome: RestoreOutcome) -> None:
    is_planned = outcome is RestoreOutcome.PLANNED
    command = "janitor restore archive --all" if is_planned else None
    summary = RestoreSummary(TABLE, Policy(dialect=Dialect.HASHED), NOW, is_dry_run=is_planned, next_command=command)
    living = {"tokenExpiration": {"N": str(NOW + DAY)}, "tokenUUID": {"S": "u"}}
    lines = [
        summary.add(restored("a" * 64, outcome, **living, name={"S": "a" * 64})),
        summary.add(restored("b" * 64, outcome, tokenExpiration={"N": str(NOW - 90 * DAY)}, tokenUUID={"S": "u"})),
        summary.add(restored("a-plain-key", outcome)),
        summary.add(restored("c" * 64, RestoreOutcome.STANDS, **living)),
    ]
    assert [line.rpartition("accepted by ")[2] for line in lines] == [
        "api and workbench", "nothing", "workbench", "api and workbench",
    ]  # fmt: skip
    assert ["would be restored" in line for line in lines] == [is_planned] * 3 + [False]
    closing = "\n".join(summary.lines())
    assert "But a gate of LISA accepts 2 of them" in closing
    assert ("To put them back:\n  janitor restore archive --all" in closing) == is_planned
    document = json.loads(summary.json())
    assert document["next_command"] == command
    assert [(each["state"], each["accepted_by"]) for each in document["rows"][:3]] == [
        ("expiring", ["api", "workbench"]), ("stale", []), ("legacy", ["workbench"]),
    ]  # fmt: skip
    assert "a" * 13 not in "".join(lines) + summary.json()
