"""Warnings about what is wrong with rows besides their dates: what it does, which rows they are, what to do."""

from collections.abc import Iterator, Mapping, Sequence

from janitor.report.finding_cells import choose_row_names
from janitor.report.model import Finding, Remark
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 3
_REMOVE_LEGACY = "remove the row with `janitor sweep --include legacy` or `janitor token remove FINGERPRINT`"
_ROTATE = "`janitor token rotate FINGERPRINT`"
_REMOVE_OLD = "then remove the old row with `janitor token remove`"

# What rows with each reason are, after "3 rows".
_DESCRIPTIONS = {
    PLAIN_TEXT_KEY: (
        "with a key in plain text, where lisa-sdk leaves LISA's management key, which LISA accepts everywhere, "
        "whatever the row says"
    ),
    KEY_NOT_A_SHA256: (
        "with a tokenUUID, but a key that is no lower-case sha256, so that LISA's API never finds the token, and MCP "
        "Workbench takes the key itself"
    ),
    GROUPS_BREAK_AUTHORIZER: (
        "with groups that make API Gateway refuse the token with an error, though Serve accepts it"
    ),
    BREAKS_LISA_LIST: "on which LISA's list of tokens fails for everybody",
}
# LISA gives its owner no new token while the row stands, whatever its state, so "make a new token" never comes first.
ADVICE = {
    PLAIN_TEXT_KEY: (
        "treat the key as leaked: rotate LISA's management key; a client that needs its key gets a hashed row from "
        f"`janitor token import`; {_REMOVE_LEGACY}, for its owner gets no new token before"
    ),
    KEY_NOT_A_SHA256: f"{_REMOVE_LEGACY}; only then does LISA give its owner a new token",
    GROUPS_BREAK_AUTHORIZER: f"{_ROTATE} makes a successor, a set of groups written as a list; {_REMOVE_OLD}",
    BREAKS_LISA_LIST: (
        f"correct the attribute that the finding names (a date with `janitor token extend`), or let {_ROTATE} make a "
        f"successor of an accepted token, {_REMOVE_OLD}"
    ),
}


def build_reason_remarks(counts: Mapping[str, int], findings: Sequence[Finding]) -> Iterator[Remark]:
    """Build a warning for each reason.

    Args:
        counts: how many rows there are for each reason.
        findings: those that the report lists, most urgent first; the rows that a warning names are among them.
    """
    row_name_of = choose_row_names(findings)
    for reason, description in _DESCRIPTIONS.items():
        count = counts.get(reason, 0)
        if count:
            names = [row_name_of(finding) for finding in findings if reason in finding.reasons]
            which = f": {list_some(names, _MAX_NAMED, total=count)}" if names else ""
            message = f"{format_count(count, 'row')} {description}{which}; {ADVICE[reason]}"
            yield Remark(where="table", code=reason, message=message)
