"""Say which owners are locked out, by which rows, and what would let them in again. Shared by everything for people."""

from collections.abc import Iterable, Iterator, Sequence

from janitor.report.model import LockedOutOwner, LockingRow
from janitor.tokens.lockout import Remedy
from janitor.tokens.printable import printable
from janitor.tokens.words import list_some

_MAX_NAMED = 10
_MAX_ROWS = 3

# A sentence about the rows of each remedy; {rows} are some of their names, {target} the options that name the table.
# No sweep stands here as a command: it would lack the options of the run, those that protect somebody too.
_WAYS_OUT = {
    Remedy.UNLOCK_AFTER: "rows that have expired: a sweep with `--unlock-after 1h`, without waiting for the grace",
    Remedy.INCLUDE_LEGACY: "legacy rows whose date is over: a sweep with `--unlock-after 1h --include legacy`",
    Remedy.INCLUDE_UNDATED: "rows without a date: `janitor token remove FINGERPRINT{target}` ({rows}), or if this LISA "
    "runs no MCP Workbench, a sweep with `--gates api --include undated`",
    Remedy.REMOVE: "rows that no sweep may take: `janitor token remove FINGERPRINT{target}` ({rows})",
    Remedy.UNPROTECT: "protected rows ({rows}): first take `janitorHold` out of the row, or run without the "
    "`--protect-user` or `--protect-system` that spares it",
}


def lockout_lines(owners: Sequence[LockedOutOwner], target: str) -> Iterator[str]:
    """Say in sentences who is locked out and what would remove the rows; nothing if nobody is.

    Args:
        owners: who is locked out.
        target: the options that name the table, as of `format_target`.
    """
    if not owners:
        return
    named = [describe_locked_out(owner) for owner in owners[:_MAX_NAMED]]
    listed = list_some(named, _MAX_NAMED, names="owners", total=len(owners))
    yield f"LISA gives no new token to an owner who still has a row: {listed}."
    for sentence in list_ways_out(owners, target):
        yield f"To remove {sentence}."


def describe_locked_out(owner: LockedOutOwner) -> str:
    """Name the owner, and the states of the rows: `alice (expired, malformed)`."""
    return f"{printable(owner.username)} ({list_lockout_states(owner)})"


def list_lockout_states(owner: LockedOutOwner) -> str:
    """List the states of the owner's rows, each once, the most frequent of them being the first named."""
    return ", ".join(dict.fromkeys(row.state.value for row in owner.rows))


def list_ways_out(owners: Iterable[LockedOutOwner], target: str = "") -> list[str]:
    """Say for each kind of row what removes it, with the names of some of these rows where they have to be named.

    Where that would end a token which still works for MCP Workbench, it says so. `target` are the options that name the
    table, as of `format_target`; empty where its name stands beside the text, or there are several.
    """
    rows: dict[Remedy, list[LockingRow]] = {}
    for owner in owners:
        for row in owner.rows:
            rows.setdefault(row.remedy, []).append(row)
    return [
        sentence.format(target=target, rows=list_some([row.row_name for row in rows[remedy]], _MAX_ROWS))
        + warn_of_working(rows[remedy])
        for remedy, sentence in _WAYS_OUT.items()
        if remedy in rows
    ]


def warn_of_working(rows: Iterable[LockingRow]) -> str:
    """Say which of these rows still let somebody in, as the end of a sentence; empty if none does."""
    working = [row.row_name for row in rows if row.accepted_by]
    if not working:
        return ""
    keys = "key" if len(working) == 1 else "keys"
    return (
        f"; MCP Workbench still accepts the {keys} of {list_some(working, _MAX_ROWS)}, and removing the row ends that"
    )
