"""A digest for programs, as JSON in ASCII: `janitor.digest/v1`. Every key is always present."""

from collections.abc import Iterable
from typing import Any

from msgspec import structs

from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_text import Numbering, shorten_sentence
from janitor.notices.notice import Notice, ascii_json, notice_fields
from janitor.notices.today import Today
from janitor.report.changes import Change, ChangedToken
from janitor.report.model import Deletion
from janitor.tokens.redact import shorten_text

SCHEMA = "janitor.digest/v1"


def build_digest_json(
    content: DigestContent,
    numbering: Numbering,
    notices: Iterable[Notice],
    *,
    report: Any,
    is_report_omitted: bool,
    max_named: int,
    tables: int,
    today: Today,
) -> str:
    """Render a part as JSON.

    Args:
        content: the digest.
        numbering: which part this is.
        notices: those of this part.
        report: the decoded report, or None; only the first part has it.
        is_report_omitted: whether there is a report that no part has room for.
        max_named: how many entries of each list the first part names; the other parts only count them.
        tables: how many tables the first part describes, where there are several.
        today: what has to be done today.
    """
    max_names, max_tables = (max_named, tables) if numbering.part == 1 else (0, 0)
    is_carried = content.report_json is not None and not is_report_omitted
    return ascii_json(
        {
            "schema": SCHEMA,
            "part": numbering.part,
            "parts": numbering.parts,
            "notices_total": numbering.total,
            "long_expired": content.long_expired,
            "recovered_from": None if content.recovered_from is None else shorten_sentence(content.recovered_from),
            "table": None if content.tables else content.table,
            "region": content.region,
            "account_id": content.account,
            "command": content.command,
            "dry_run": content.dry_run,
            "outcome": content.outcome.value,
            "started_at": content.started_at,
            "counts": dict(content.counts),
            "deletion": _deletion_fields(content.deletion),
            "today": {
                "expiring": today.expiring,
                "within_seconds": today.within,
                "expired": today.expired,
                "newly_locked_out": len(today.locked_out),
            },
            "changes": _changes_fields(content, max_names),
            **_list_with_omitted(
                "locked_out", content.locked_out, [shorten_text(owner) for owner in content.locked_out[:max_names]]
            ),
            **_list_with_omitted("ways_out", content.ways_out, list(content.ways_out[:max_names])),
            **_list_with_omitted(
                "unusual_days",
                content.unusual_days,
                [{"day": day, "expiring": count} for day, count in content.unusual_days[:max_names]],
            ),
            **_list_with_omitted(
                "errors", content.errors, [shorten_sentence(error) for error in content.errors[:max_names]]
            ),
            **_list_with_omitted(
                "warnings", content.warnings, [shorten_sentence(warning) for warning in content.warnings[:max_names]]
            ),
            **_list_with_omitted(
                "tables", content.tables, [_table_fields(table, max_names) for table in content.tables[:max_tables]]
            ),
            "pointer": content.full_report_location,
            "report": report,
            "report_omitted": is_report_omitted,
            "report_part": 1 if is_carried else None,
            "notices": [_notice_fields(notice) for notice in notices],
        }
    )


def build_notice_json(notice: Notice) -> str:
    """Render one notice as it is in a part."""
    return ascii_json(_notice_fields(notice))


def _notice_fields(notice: Notice) -> dict[str, Any]:
    return {**notice_fields(notice), "table": notice.table}


def _table_fields(content: DigestContent, max_names: int) -> dict[str, Any]:
    """One table of several."""
    return {
        "table": content.table,
        "region": content.region,
        "account_id": content.account,
        "outcome": content.outcome.value,
        "counts": dict(content.counts),
        "deletion": _deletion_fields(content.deletion),
        "changes": _changes_fields(content, max_names),
        **_list_with_omitted(
            "locked_out", content.locked_out, [shorten_text(owner) for owner in content.locked_out[:max_names]]
        ),
    }


def _deletion_fields(deletion: Deletion) -> dict[str, Any]:
    """The report's deletion without `plan`, which is a file on the machine of the run."""
    return {name: value for name, value in structs.asdict(deletion).items() if name != "plan"}


def _changes_fields(content: DigestContent, max_names: int) -> dict[str, Any] | None:
    if content.changes is None:
        return None
    return {kind: _change_fields(change, max_names) for kind, change in content.changes.items()}


def _change_fields(change: Change, max_names: int) -> dict[str, Any]:
    return {"count": change.count, "named": [_named_token(token) for token in change.tokens[:max_names]]}


def _named_token(token: ChangedToken) -> dict[str, Any]:
    texts = {"username": token.username, "name": token.name}
    return {
        "fingerprint": token.fingerprint,
        **{key: shorten_text(text) if text is not None else None for key, text in texts.items()},
    }


def _list_with_omitted(key: str, whole: tuple[Any, ...], listed: list[Any]) -> dict[str, Any]:
    """The entries of a list that are named, and how many are left out."""
    return {key: listed, f"{key}_omitted": len(whole) - len(listed)}
