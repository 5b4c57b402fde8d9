"""A digest for queues and functions: `janitor.digest/v1`, JSON in ASCII. Every key is always present."""

from collections.abc import Iterable
from typing import Any

from msgspec import structs

from janitor.notices.content import DigestContent
from janitor.notices.notice import Notice, as_object, ascii_json
from janitor.notices.prose import Numbering, cut_sentence
from janitor.report.changed import Change, ChangedToken
from janitor.report.model import Deletion
from janitor.tokens.redact import cut

SCHEMA = "janitor.digest/v1"


def digest_json(
    content: DigestContent,
    numbering: Numbering,
    notices: Iterable[Notice],
    *,
    report: Any,
    is_report_omitted: bool,
    few: int,
    tables: int,
) -> str:
    """A part as JSON.

    Args:
        content: the digest.
        numbering: which part this is.
        notices: those of this part.
        report: the decoded report, or None; only the first part carries it.
        is_report_omitted: whether there is a report that no part has room for.
        few: how many of each list the first part names; the others only count.
        tables: how many tables the first part tells of, where there are several.
    """
    named, told = (few, tables) if numbering.part == 1 else (0, 0)
    is_carried = content.report_json is not None and not is_report_omitted
    return ascii_json(
        {
            "schema": SCHEMA,
            "part": numbering.part,
            "parts": numbering.parts,
            "notices_total": numbering.total,
            "long_expired": content.long_expired,
            "recovered_from": None if content.recovered_from is None else cut_sentence(content.recovered_from),
            "table": None if content.tables else content.table,
            "region": content.region,
            "account_id": content.account,
            "command": content.command,
            "dry_run": content.dry_run,
            "outcome": content.outcome.value,
            "started_at": content.started_at,
            "counts": dict(content.counts),
            "deletion": _deletion(content.deletion),
            "changes": _changes(content, named),
            **_cut_list("locked_out", content.locked_out, [cut(owner) for owner in content.locked_out[:named]]),
            **_cut_list(
                "unusual_days",
                content.unusual_days,
                [{"day": day, "expiring": count} for day, count in content.unusual_days[:named]],
            ),
            **_cut_list("errors", content.errors, [cut_sentence(error) for error in content.errors[:named]]),
            **_cut_list("warnings", content.warnings, [cut_sentence(warning) for warning in content.warnings[:named]]),
            **_cut_list("tables", content.tables, [_table(table, named) for table in content.tables[:told]]),
            "pointer": content.pointer,
            "report": report,
            "report_omitted": is_report_omitted,
            "report_part": 1 if is_carried else None,
            "notices": [_notice(notice) for notice in notices],
        }
    )


def notice_json(notice: Notice) -> str:
    """One notice as it stands in a part."""
    return ascii_json(_notice(notice))


def _notice(notice: Notice) -> dict[str, Any]:
    return {**as_object(notice), "table": notice.table}


def _table(content: DigestContent, named: int) -> dict[str, Any]:
    """One table of several."""
    return {
        "table": content.table,
        "region": content.region,
        "account_id": content.account,
        "outcome": content.outcome.value,
        "counts": dict(content.counts),
        "deletion": _deletion(content.deletion),
        "changes": _changes(content, named),
        **_cut_list("locked_out", content.locked_out, [cut(owner) for owner in content.locked_out[:named]]),
    }


def _deletion(deletion: Deletion) -> dict[str, Any]:
    """As in the report, without the plan, which is a file of the machine that ran."""
    return {name: value for name, value in structs.asdict(deletion).items() if name != "plan"}


def _changes(content: DigestContent, named: int) -> dict[str, Any] | None:
    if content.changes is None:
        return None
    return {kind: _change(change, named) for kind, change in content.changes.items()}


def _change(change: Change, named: int) -> dict[str, Any]:
    return {"count": change.count, "named": [_named(token) for token in change.tokens[:named]]}


def _named(token: ChangedToken) -> dict[str, Any]:
    texts = {"username": token.username, "name": token.name}
    return {
        "fingerprint": token.fingerprint,
        **{key: cut(text) if text is not None else None for key, text in texts.items()},
    }


def _cut_list(key: str, whole: tuple[Any, ...], listed: list[Any]) -> dict[str, Any]:
    """A list as far as it is given here, and how many more there are."""
    return {key: listed, f"{key}_omitted": len(whole) - len(listed)}
