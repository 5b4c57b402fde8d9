"""Warnings about what is wrong with rows besides their dates: what it does, which rows they are, what to do."""

from collections.abc import Iterator, Mapping, Sequence

from janitor.report.finding_cells import choose_row_names
from janitor.report.model import Finding, Remark
from janitor.tokens.reasons import BREAKS_LISA_LIST, GROUPS_BREAK_AUTHORIZER, KEY_NOT_A_SHA256, PLAIN_TEXT_KEY
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 3
_REMOVE_LEGACY = "with `janitor sweep --include legacy` or `janitor token remove FINGERPRINT`"

# What each reason does, and what to do about it. {rows} is "1 row" or "3 rows", {which} names some of them after a
# colon.
_MESSAGES = {
    PLAIN_TEXT_KEY: (
        "{rows} with a key in plain text{which}; lisa-sdk leaves LISA's management key in such a row, and LISA accepts "
        "that key everywhere, whatever the row says; treat each as leaked: rotate the management key, have the owners "
        f"make new tokens, then remove the rows {_REMOVE_LEGACY}"
    ),
    KEY_NOT_A_SHA256: (
        "{rows} with a tokenUUID, but a key that is no lower-case sha256{which}; LISA's API never finds such a row, "
        "and MCP Workbench takes the key itself; have the owners make new tokens, then remove the rows "
        f"{_REMOVE_LEGACY}"
    ),
    GROUPS_BREAK_AUTHORIZER: (
        "{rows} with groups that make API Gateway refuse the token with an error, though Serve accepts it{which}; "
        "store the groups as a list of texts, or have the owner make a new token"
    ),
    BREAKS_LISA_LIST: (
        "{rows} that break LISA's list of tokens for everybody{which}; correct the attribute that the finding names, "
        "or remove the row with `janitor token remove FINGERPRINT`"
    ),
}


def build_reason_remarks(counts: Mapping[str, int], findings: Sequence[Finding]) -> Iterator[Remark]:
    """Build a warning for each reason.

    Args:
        counts: how many rows there are for each reason.
        findings: those that the report lists, most urgent first; the rows that a warning names are among them.
    """
    row_name_of = choose_row_names(findings)
    for reason, message in _MESSAGES.items():
        count = counts.get(reason, 0)
        if count:
            names = [row_name_of(finding) for finding in findings if reason in finding.reasons]
            which = f": {list_some(names, _MAX_NAMED, total=count)}" if names else ""
            text = message.format(rows=format_count(count, "row"), which=which)
            yield Remark(where="table", code=reason, message=text)
