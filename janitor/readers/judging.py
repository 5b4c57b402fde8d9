"""Judge the rows of a page: classify each, count it, and keep it if the report has to list it. Pure.

page ──positions_to_decode──> rows ──classify──┬──> found
│                                              └──> deletable, in a run that plans or has --unlock-after
└── plainly active rows, only counted ──> tally
"""

from collections.abc import Iterable, Sequence

from janitor.dynamodb.decode import Page
from janitor.readers.interface import Batch, DeletableRow, JudgedRow, Rules
from janitor.readers.listing import Listing
from janitor.readers.tally import Tally
from janitor.report.build import build_finding
from janitor.report.model import Finding
from janitor.tokens.classify import classify, is_deletable, positions_to_decode
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.lockout import judge_early, make_early_policy
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_matching_patterns, find_protection
from janitor.tokens.row import Row


def judge_page(page: Page, rules: Rules, patterns: Sequence[str] = ()) -> Batch:
    """Judge the rows of a page.

    Args:
        page: the page.
        rules: the rules by which they are judged.
        patterns: `--protect-user` patterns that have matched nobody so far; with any, active rows are decoded too.

    Raises:
        CorruptPageError: a row cannot be read.
    """
    if rules.listing is not None:
        return _judge_for_listing(page, rules, rules.listing)
    return _judge_for_report(page, rules, patterns)


def _judge_for_report(page: Page, rules: Rules, patterns: Sequence[str]) -> Batch:
    now, policy = rules.now, rules.policy
    decodes_all = page.is_filtered or patterns
    positions = range(page.count) if decodes_all else _find_positions(page, now, policy)
    tally = Tally()
    tally.add_page(page.read_units, page.scanned - len(positions))
    found: list[JudgedRow] = []
    deletable: list[DeletableRow] = []
    finds_early = make_early_policy(policy) is not None
    rows = page.rows(positions)
    for position, row in zip(positions, rows, strict=True):
        verdict = classify(row, now, policy)
        tally.add(verdict)
        if rules.plans and is_deletable(verdict, now, policy):
            if not is_included(row, rules):
                tally.left_out += 1
            elif find_protection(row, policy) is not None:
                tally.protected += 1
            else:
                deletable.append(_make_deletable(page.item(position), JudgedRow(row, verdict), rules))
                continue
            tally.withheld += verdict.expiry is not None
        elif finds_early and not verdict.accepted_by and not is_deletable(verdict, now, policy):
            early = judge_early(row, now, policy)
            if early is not None and find_protection(row, policy) is None and is_included(row, rules):
                deletable.append(_make_deletable(page.item(position), JudgedRow(row, early), rules))
                continue
        tally.owners.add(row, verdict)
        if verdict.is_finding:
            found.append(JudgedRow(row, verdict))
    return Batch(tally, found, deletable, find_matching_patterns(patterns, rows))


def _find_positions(page: Page, now: int, policy: Policy) -> list[int]:
    positions: list[int] = []
    start = 0
    for glances in page.glances():
        positions += positions_to_decode(glances, now, policy, start)
        start += len(glances)
        # Free the group before the next one is made.
        del glances
    return positions


def is_included(row: Row, rules: Rules) -> bool:
    """Whether --user and --fingerprint leave a row in the plan."""
    narrowing = rules.policy.narrowing
    if not narrowing:
        return True
    fingerprint = compute_fingerprint(row, rules.policy.dialect, rules.fingerprint_key)
    return narrowing.includes(row, fingerprint, make_row_name(row, fingerprint, rules.fingerprint_key))


def _make_deletable(item: bytes, found: JudgedRow, rules: Rules) -> DeletableRow:
    return DeletableRow(item, compute_fingerprint(found.row, rules.policy.dialect, rules.fingerprint_key), found)


def _judge_for_listing(page: Page, rules: Rules, listing: Listing) -> Batch:
    now, policy = rules.now, rules.policy
    decodes_all = listing.wants_active or page.is_filtered
    positions = range(page.count) if decodes_all else _find_positions(page, now, policy)
    tally = Tally()
    tally.add_page(page.read_units, page.scanned - len(positions))
    found: list[JudgedRow] = []
    for row in page.rows(positions):
        verdict = classify(row, now, policy)
        tally.count(verdict)
        # What is said besides the counts is about the rows that were asked for, and their owners.
        if listing.selects(row, verdict):
            tally.describe(verdict)
            tally.owners.add(row, verdict)
            found.append(JudgedRow(row, verdict))
    tally.chosen += len(found)
    return Batch(tally, found)


def build_findings(rows: Iterable[JudgedRow], rules: Rules) -> list[Finding]:
    """Build the report's lines about rows, in their order. This is most of the cost of a finding."""
    return [
        build_finding(
            row,
            verdict,
            now=rules.now,
            policy=rules.policy,
            fingerprint_key=rules.fingerprint_key,
            outcome=outcome,
            table=rules.label,
        )
        for row, verdict, outcome in rows
    ]
