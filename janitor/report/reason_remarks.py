"""Warnings about what is wrong with rows besides their dates: what it does, which rows they are, what to do."""

from collections.abc import Iterator, Mapping, Sequence

from janitor.report.finding_cells import choose_row_names
from janitor.report.model import Finding, Remark
from janitor.tokens.classify import State
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 3
# What stands for the name of a row in the advice about several.
_ANY_ROW = "FINGERPRINT"
_REMOVE = "remove the row with `janitor token remove {row}`"
_ROTATE = "`janitor token rotate {row}`"
_REMOVE_OLD = "then remove the old row with `janitor token remove`"

# What rows with each reason are, after "3 rows".
_DESCRIPTIONS = {
    PLAIN_TEXT_KEY: "with a key in plain text, where lisa-sdk leaves LISA's management key, accepted everywhere",
    KEY_NOT_A_SHA256: (
        "with a tokenUUID, but a key that is no lower-case sha256, so that LISA's API never finds the token, and MCP "
        "Workbench takes the key itself"
    ),
    GROUPS_BREAK_AUTHORIZER: (
        "with groups that make API Gateway reject the token with an error, though Serve accepts it"
    ),
    BREAKS_LISA_LIST: "on which LISA's list of tokens fails for everybody",
}
# LISA gives its owner no new token while the row stands, whatever its state, so "make a new token" never comes first.
# {row} is the row's name, {sweep} what a sweep does about it.
_ADVICE = {
    PLAIN_TEXT_KEY: (
        "treat such a key as leaked, rotate the management key; `janitor token import` hashes a key that a client "
        f"needs; {_REMOVE}{{sweep}}; an owner of such a row gets no new token before"
    ),
    KEY_NOT_A_SHA256: f"{_REMOVE}{{sweep}}; only then does LISA give its owner a new token",
    GROUPS_BREAK_AUTHORIZER: f"{_ROTATE} makes a successor, a set of groups written as a list; {_REMOVE_OLD}",
    BREAKS_LISA_LIST: (
        f"correct the attribute that the finding names (a date with `janitor token extend`), or let {_ROTATE} make a "
        f"successor of an accepted token, {_REMOVE_OLD}"
    ),
}
_SWEEP = "`janitor sweep --include legacy --plan FILE` and `janitor apply FILE`"


def build_reason_remarks(counts: Mapping[str, int], findings: Sequence[Finding], *, is_exact: bool) -> Iterator[Remark]:
    """Build a warning for each reason.

    Args:
        counts: how many rows there are for each reason.
        findings: those that the report lists, most urgent first; the rows that a warning names are among them.
        is_exact: whether no row was passed over, by the server's filter or because the run ended
            (docs/explanation/states-and-gates.md).
    """
    row_name_of = choose_row_names(findings)
    for reason, description in _DESCRIPTIONS.items():
        count = counts.get(reason, 0)
        if count:
            rows = [finding for finding in findings if reason in finding.reasons]
            names = [row_name_of(finding) for finding in rows]
            which = f": {list_some(names, _MAX_NAMED, total=count)}" if names else ""
            advice = _fill_in(reason, _ANY_ROW, _describe_sweep(rows, count))
            at_least = "" if is_exact else "at least "
            message = f"{at_least}{format_count(count, 'row')} {description}{which}; {advice}"
            yield Remark(where="table", code=reason, message=message)


def list_advice(finding: Finding, row_name: str) -> Iterator[tuple[str, str]]:
    """List each reason of the finding besides those of its date, and what to do about it.

    Args:
        finding: the row.
        row_name: what commands call the row, with the options that name its table.
    """
    for reason in finding.reasons:
        if reason in _ADVICE:
            yield reason, _fill_in(reason, row_name, _describe_sweep([finding], 1))


def may_go_by_sweep(finding: Finding) -> bool:
    """Whether a sweep with `--include legacy` deletes this row without a hash, at the latest when its grace is over.

    No other rows go by that: those without a date, with one ahead or a broken one, and protected ones stay.
    """
    return (
        finding.state is State.LEGACY
        and finding.seconds_to_expiry is not None
        and finding.seconds_to_expiry <= 0
        and finding.protected_by is None
    )


def _describe_sweep(rows: Sequence[Finding], count: int) -> str:
    """Say which of these `count` rows a sweep deletes, of which `rows` are known; empty if it deletes none."""
    swept = sum(map(may_go_by_sweep, rows))
    if swept == count:
        return f", or once its grace is over with {_SWEEP}"
    if not swept and len(rows) == count:
        return ""
    return " (past date and grace: or `janitor sweep --include legacy --plan FILE`)"


def _fill_in(reason: str, row_name: str, sweep: str) -> str:
    return _ADVICE[reason].format(row=row_name, sweep=sweep)
