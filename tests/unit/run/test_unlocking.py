"""Which rows go before their grace is over, and who is locked out, with LISA's own rule as the judge."""

import io
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.readers.in_process import PageReader
from janitor.readers.interface import JudgedRow, Rules
from janitor.readers.judging import judge_page
from janitor.readers.tally import Tally
from janitor.report.formats.json import JsonFormat
from janitor.run import unlocking
from janitor.run.flow import run
from janitor.run.outlets import Outlet
from janitor.run.spec import OwnerLookup
from janitor.sinks.stdout import Stdout
from janitor.stopping import Stop
from janitor.tokens.classify import State, classify, is_deletable
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.duration import DAY
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from tests.unit.rows import NOW, items, row
from tests.unit.run.test_flow import page, run_spec

EARLY = "unlocks-owner"
OWNERS = ("ana", "bob", "guarded")
POLICY = Policy(dialect=Dialect.HASHED, grace=30 * DAY, unlock_after=DAY, protect_users=("guarded",))

# LISA's own rows, most of them expired at one time or another, and rows of any kind.
ordinary = st.builds(
    lambda past, uuid: {"tokenExpiration": {"N": str(NOW - past)}, "tokenUUID": {"S": uuid}},
    st.sampled_from([DAY, -DAY, 5 * DAY, 0, DAY - 1, 30 * DAY]),
    st.sampled_from(["u", "u", "u", ""]),
)
# Mostly two or three rows of one owner, so that what one row means for another often counts.
owned = st.lists(
    st.tuples(st.one_of(ordinary, ordinary, ordinary, items), st.sampled_from(["ana", "ana", "ana", "bob", "guarded"])),
    min_size=2,
    max_size=5,
).map(
    lambda rows: [
        {**item, "token": {"S": f"{number:064x}"}, "username": {"S": owner}}
        for number, (item, owner) in enumerate(rows)
    ]
)


def report_of(rows: Iterable[dict[str, Any]], policy: Policy, **changes: Any) -> Any:
    pages = [page(*rows)]
    values = {
        "rules": Rules(policy=policy, now=NOW),
        "owners": OwnerLookup(reread=lambda: iter(pages)),
        "max_findings": 100,
        **changes,
    }
    outlet = Outlet(JsonFormat(), Stdout(io.BytesIO()))
    return run(run_spec(lambda: iter(pages), outlet, dialect=policy.dialect, **values)).report


@given(rows=owned)
def test_rows_go_early_only_where_that_lets_their_owner_in(rows: list[dict[str, Any]]) -> None:
    report = report_of(rows, POLICY)
    counts = structs.asdict(report.counts)
    assert counts.pop("scanned") == sum(counts.values()) == len(rows)
    assert len(report.findings) == len(rows) - counts["active"]
    early = {finding.row_name for finding in report.findings if EARLY in finding.reasons}
    for owner in OWNERS:
        of_owner = [each for each in map(row, rows) if each.username and owner == each.username.S]
        named = {make_row_name(each, compute_fingerprint(each, Dialect.HASHED)): each for each in of_owner}
        has_accepted = any(Gate.API in find_accepting_gates(each, NOW, Dialect.HASHED) for each in of_owner)
        assert (owner in report.locked_out) == bool(of_owner and not has_accepted)
        if not early & named.keys():
            continue
        assert not has_accepted
        for name, each in named.items():
            verdict = classify(each, NOW, POLICY)
            assert find_protection(each, POLICY) is None
            if name in early:
                assert verdict.expiry is not None
                assert verdict.expiry + DAY <= NOW < verdict.expiry + 30 * DAY
                assert find_accepting_gates(each, NOW, Dialect.HASHED) == ()
            else:
                assert is_deletable(verdict, NOW, POLICY)


def lone(number: int) -> dict[str, Any]:
    return {
        "token": {"S": f"{number:064x}"}, "tokenUUID": {"S": "u"}, "username": {"S": f"owner-{number}"},
        "tokenExpiration": {"N": str(NOW - 2 * DAY)},
    }  # fmt: skip


def test_what_there_is_no_room_for_stays_and_is_counted(monkeypatch: Any) -> None:
    rows = [lone(number) for number in range(10)]
    monkeypatch.setattr(unlocking, "_MAX_BYTES", 450)
    report = report_of(rows, POLICY)
    early = sum(EARLY in finding.reasons for finding in report.findings)
    assert 0 < early < 10
    assert (report.counts.stale, report.counts.expired) == (early, 10 - early)
    assert f"left out {10 - early} more expired rows" in report.warnings[0].message


def test_nothing_goes_early_of_a_run_that_was_stopped() -> None:
    stop = Stop()

    def stopping_pages() -> Any:
        yield page(lone(1))
        stop.request(2)

    report = report_of([lone(1)], POLICY, reader=PageReader(stopping_pages), stop=stop)
    assert (report.counts.stale, report.counts.expired) == (0, 1)


class Planned(list[str]):
    """A plan that keeps the names of its rows."""

    def add(self, fingerprint: str, *others: Any) -> None:
        assert (others[1], others[3]) == ("stale", (EARLY,))
        self.append(fingerprint)


def settled(rows: list[dict[str, Any]], find_announced: Any) -> tuple[Planned, Tally, list[JudgedRow]]:
    """What a sweep plans early of these rows, what it counts, and what it reports at once."""
    plan, tally, reported = Planned(), Tally(), list[JudgedRow]()
    rules = Rules(policy=POLICY, now=NOW, plans=True)
    batch = judge_page(page(*rows), rules)
    tally.add_all(batch.tally)
    early_rows = unlocking.EarlyRows(rules, tally)
    others, staying = early_rows.take_from(batch.deletable)
    assert (others, staying) == ([], [])
    sweep = SimpleNamespace(find_announced=find_announced, plan=SimpleNamespace(writer=plan))
    spec: Any = SimpleNamespace(owners=OwnerLookup(reread=lambda: iter([page(*rows)])), sweep=sweep, stop=Stop())
    findings: Any = SimpleNamespace(add=reported.extend)
    unlocking.settle_early_rows(early_rows, spec, rules, tally, findings, is_complete=True)
    return plan, tally, reported


def test_rows_that_were_not_announced_wait_and_keep_the_others_of_their_owner() -> None:
    two = [lone(1), {**lone(1), "token": {"S": "f" * 64}}]
    plan, tally, reported = settled(two, None)
    assert (len(plan), tally.waiting, reported) == (2, 0, [])
    plan, tally, reported = settled(two, lambda expiries: set(list(expiries)[:1]))
    assert (plan, tally.waiting, tally.counts().expired) == ([], 2, 2)
    assert [each.verdict.state for each in reported] == [State.EXPIRED] * 2
