"""A page's rows, judged: each gets its state, is counted, and is kept if somebody has to know of it. Pure.

page ──positions_worth_a_look──> rows ──classify──┬──> found
│                                                └──> deletable, in a run that plans
└── plainly active rows, only counted ──> tally
"""

from collections.abc import Iterable, Sequence

from janitor.dynamodb.decode import Page
from janitor.readers.interface import Batch, DeletableRow, FoundRow, Rules
from janitor.readers.listing import Listing
from janitor.readers.tally import Tally
from janitor.report.build import finding
from janitor.report.model import Finding
from janitor.tokens.classify import State, classify, positions_worth_a_look
from janitor.tokens.deletable import is_deletable
from janitor.tokens.fingerprint import fingerprint
from janitor.tokens.protection import patterns_that_fit, protected_by


def judge(page: Page, rules: Rules, patterns: Sequence[str] = ()) -> Batch:
    """What a page's rows come to.

    Args:
        page: the page.
        rules: by what they are judged.
        patterns: of protected users; for those, every row is looked at, active ones too.

    Raises:
        CorruptPageError: a row cannot be read.
    """
    return _listed(page, rules, rules.listing) if rules.listing is not None else _reported(page, rules, patterns)


def _reported(page: Page, rules: Rules, patterns: Sequence[str]) -> Batch:
    now, policy = rules.now, rules.policy
    looks_at_all = page.is_filtered or patterns
    positions = range(page.count) if looks_at_all else positions_worth_a_look(page.glances(), now, policy)
    tally = Tally()
    tally.add_page(page.read_units, page.scanned - len(positions))
    found: list[FoundRow] = []
    deletable: list[DeletableRow] = []
    rows = page.rows(positions)
    for position, row in zip(positions, rows, strict=True):
        verdict = classify(row, now, policy)
        tally.add(verdict)
        if rules.plans and is_deletable(verdict, now, policy):
            if protected_by(row, policy) is None:
                name = fingerprint(row, policy.dialect, rules.secret)
                deletable.append(DeletableRow(page.item(position), name, FoundRow(row, verdict)))
                continue
            tally.protected += 1
        tally.owners.add(row, verdict)
        if verdict.state is not State.ACTIVE:
            found.append(FoundRow(row, verdict))
    return Batch(tally, found, deletable, patterns_that_fit(patterns, rows))


def _listed(page: Page, rules: Rules, listing: Listing) -> Batch:
    now, policy = rules.now, rules.policy
    looks_at_all = listing.wants_active or page.is_filtered
    positions = range(page.count) if looks_at_all else positions_worth_a_look(page.glances(), now, policy)
    tally = Tally()
    tally.add_page(page.read_units, page.scanned - len(positions))
    found: list[FoundRow] = []
    for row in page.rows(positions):
        verdict = classify(row, now, policy)
        tally.add(verdict)
        tally.owners.add(row, verdict)
        if listing.chooses(row, verdict):
            found.append(FoundRow(row, verdict))
    tally.chosen += len(found)
    return Batch(tally, found)


def lines_of(rows: Iterable[FoundRow], rules: Rules) -> list[Finding]:
    """The report's lines about rows, in their order. Most of what a finding costs."""
    return [
        finding(
            row,
            verdict,
            now=rules.now,
            policy=rules.policy,
            secret=rules.secret,
            outcome=outcome,
            table=rules.label,
        )
        for row, verdict, outcome in rows
    ]
