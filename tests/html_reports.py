"""Reports for the page's tests: a believable one with hostile texts in it, and one of any size."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import structs

from janitor.report.build import build_finding, build_forecast, verdict_urgency
from janitor.report.model import (
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    LockedOutOwner,
    LockingRow,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    TablePart,
)
from janitor.tokens.classify import State, Verdict, classify
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.lockout import Remedy
from janitor.tokens.policy import Policy
from tests.reports import changed, of_one
from tests.tables import Item, legacy, modern
from tests.unit.rows import row

NOW = 1_790_000_000
TABLE = "prod-LISAApiBaseTokenTable"
POLICY = Policy(dialect=Dialect.HASHED)
MOST_URGENT_OWNER = "ada.castillo@example.com"

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</td></table><h1>gone</h1>",
    "&lt;already&gt; &amp; escaped",
    "\u202egnp.exe\u202c right to left",
    "\x1b[31mred\x00\nsecond line",
    "שלום עולם",
    "🦊🧹 emoji 👩‍👩‍👧‍👦",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳",
    "W" * 256,
    "a long name that is made of many words " * 6,
    "`janitor` {{ 7 * 7 }} ${jndi:ldap://x} https://example.com/",
)


def report_of(findings: Iterable[Finding], **changes: Any) -> Report:
    """A report of a scan of a hashed table with these findings, and what else is given in place of the rest."""
    listed = sorted(findings, key=_urgency)
    states = Counter(each.state.value for each in listed)
    days = Counter(each.expiration // DAY for each in listed if each.state is State.EXPIRING and each.expiration)
    moment = dt.datetime.fromtimestamp(NOW, dt.UTC)
    parts: dict[str, Any] = {
        "run": Run(id="6f1c2a9e", command="scan", dry_run=True, outcome=Outcome.COMPLETE, started_at=moment,
                   finished_at=moment, duration_seconds=3.4, version="0.3.0"),
        "policy": PolicyPart(dialect=Dialect.HASHED, thresholds_seconds=[30 * DAY, 7 * DAY, DAY],
                             grace_seconds=7 * DAY, as_of=None),
        "counts": Counts(scanned=len(listed) + 812, active=812, **states),
        "deletion": Deletion(),
        "capacity": Capacity(read_units=128.5, write_units=0, requests=9, pages=4, throttled=0, cost_usd=0.000016),
        "clock": Clock(skew_seconds=0),
        "findings": listed, "findings_omitted": 0, "locked_out": [], "locked_out_unchecked": 0,
        "forecast": build_forecast(days, NOW, POLICY.horizon), "errors": [], "warnings": [],
    }  # fmt: skip
    given = {**parts, **changes}
    return of_one(
        TablePart(name=TABLE, region="us-east-1", account_id="123456789012", endpoint=None),
        **given,
        lockouts=lockouts_of(given["locked_out"]),
    )


def lockouts_of(owners: Iterable[str]) -> list[LockedOutOwner]:
    """These owners, locked out by two rows each: one that has expired, and one that only a person can remove."""
    rows = [
        LockingRow(row_name="0123456789ab-7b21c0", state=State.EXPIRED, remedy=Remedy.UNLOCK_AFTER),
        LockingRow(row_name="0123456789ac-7b21c1", state=State.MALFORMED, remedy=Remedy.REMOVE),
    ]
    return [LockedOutOwner(username=owner, rows=rows) for owner in owners]


def found(item: Item, outcome: DeletionOutcome | None = None) -> Finding:
    """The finding of an item."""
    one = row(item)
    return build_finding(one, classify(one, NOW, POLICY), now=NOW, policy=POLICY, fingerprint_key=None, outcome=outcome)


def believable() -> Report:
    """A scan with every state, a crowded day, hostile names, locked-out owners and a warning."""
    people = ["ben.moreau", "mei.tanaka", "yara.haddad", "tomas.novak", "priya.iyer", "noah.fischer", "zoe.okafor"]
    rows = [modern("first", NOW + 3 * 3_600, username=MOST_URGENT_OWNER, name="CI pipeline")]
    rows += [
        modern(f"due-{number}", NOW + (number * 7 % 29 + 1) * DAY + number * 977, name=f"notebook {number}",
               username=f"{people[number % 7]}@example.com")
        for number in range(44)
    ]  # fmt: skip
    rows += [
        modern(f"crowd-{number}", NOW + 12 * DAY + number * 60, username=f"batch-{number}@example.com", name="workshop")
        for number in range(14)
    ]
    rows += [modern(f"dead-{number}", NOW - number * DAY // 2 - 60, name="laptop") for number in range(12)]
    rows += [modern(f"stale-{number}", NOW - (9 + number * number // 9) * DAY, name="thesis") for number in range(60)]
    rows += [modern("milli", (NOW + DAY) * 1_000, name="milliseconds"), modern("text", {"S": "soon"}, name="a word")]
    rows += [legacy("old-1"), legacy("old-2", NOW + 40 * DAY), modern("for-ever", isSystemToken=True, name="build-bot")]
    rows += [
        modern(f"hostile-{number}", NOW + (number + 2) * DAY, name=text, username=text)
        for number, text in enumerate(HOSTILE)
    ]
    return report_of(
        map(found, rows),
        locked_out=[f"{name}@example.com" for name in people[:4]] + list(HOSTILE[:4]),
        locked_out_unchecked=3,
        warnings=[Remark(where="table", code="workbench-only",
                         message="MCP Workbench still accepts 3 tokens that LISA's API rejects; end them with "
                                 "`janitor token revoke`")],
    )  # fmt: skip


def after_a_sweep() -> Report:
    """The same after a sweep that deleted most of what it planned."""
    scanned = believable()
    outcomes = [DeletionOutcome.DELETED] * 9 + [DeletionOutcome.FAILED, DeletionOutcome.CHANGED]
    stale = [each for each in scanned.findings if each.state is State.STALE]
    for number, each in enumerate(stale):
        each.outcome = outcomes[number % len(outcomes)]
    count = Counter(each.outcome for each in stale)
    return changed(
        scanned,
        run=structs.replace(scanned.run, command="sweep", dry_run=False, outcome=Outcome.FAILED),
        deletion=Deletion(
            enabled=True,
            planned=len(stale),
            deleted=count[DeletionOutcome.DELETED],
            failed=count[DeletionOutcome.FAILED],
            changed=count[DeletionOutcome.CHANGED],
            protected=2,
            archive="/var/lib/janitor/it's an archive.ndjson",
        ),
        errors=[
            Remark(
                where="delete",
                code="throttled",
                message="5 rows could not be deleted: DynamoDB throttled them to the end <b>&",
            )
        ],
    )


def many(count: int, *, name: str = "token") -> Report:
    """A report with so many findings, a tenth of them expiring, one permanent; made without a table."""
    moment = dt.datetime.fromtimestamp(NOW, dt.UTC)
    listed = [
        Finding(
            fingerprint=f"{number:012x}",
            row_name=f"{number:012x}-{number:06x}",
            state=State.EXPIRING if number * 10 < count else State.STALE,
            accepted_by=(),
            expires_at=moment,
            expiration=NOW,
            seconds_to_expiry=number,
            name=f"{name} {number}",
            username=f"first.last-{number}@example.com",
            created_by="admin",
            created_at=moment,
            system=False,
            token_uuid=None,
            protected_by=None,
            reasons=(),
            outcome=None,
            probably_meant=None,
            meaning="LISA has rejected it everywhere for 30 days, longer than the grace",
        )
        for number in range(count - 1)
    ]
    for_ever = found(modern("for-ever"))
    return report_of([*listed, for_ever])


def _urgency(one: Finding) -> tuple[int, bool, int]:
    expiry = None if one.seconds_to_expiry is None else NOW + one.seconds_to_expiry
    return verdict_urgency(Verdict(one.state, one.accepted_by, expiry, one.reasons), NOW)
