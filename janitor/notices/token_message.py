"""A message for each notice (`--per-token`), so that filter policies can give owners only their own tokens."""

import re
from dataclasses import replace

from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import Event, Notice, ascii_json, format_threshold, notice_fields
from janitor.notices.subject_line import token_subject
from janitor.sinks.sns import Message
from janitor.tokens.printable import printable
from janitor.tokens.redact import shorten_text

SCHEMA = "janitor.notice/v1"

# Control characters, lone surrogates and non-characters: SNS refuses them in attributes, because XML 1.0 has no place
# for them.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_WHAT_TO_DO = {
    Event.EXPIRING: "Have it renewed, or put a new token in its place wherever it is used, before then: from that"
    " second on LISA refuses it.",
    Event.EXPIRED: "LISA has refused it since then. Put a new token in its place wherever it is still used.",
    Event.DELETED: "LISA had refused it since then. Where it is still used, a new token must take its place.",
}


def build_token_message(
    notice: Notice, table: str, region: str, account: str | None, address: str | None = None
) -> Message:
    """Build the message of a notice about a token of this table; `address` is its owner's, None if not known."""
    body = {
        "schema": SCHEMA,
        **notice_fields(notice),
        "table": table,
        "region": region,
        "account_id": account,
        "text": _text(notice, table),
    }
    return Message(
        subject=token_subject(notice),
        body=ascii_json(body),
        attributes=_attributes(notice, table, address),
        group_id=group_id(table),
        # With the table's whole address, because a token keeps its fingerprint when it moves to another table.
        deduplication_id=deduplication_id(notice.notice_id, account or "", region, table),
    )


def build_owner_mail(notice: Notice, table: str, region: str, account: str | None, address: str | None) -> Message:
    """Build the same message as a mail: its text alone, to the address in its attribute."""
    return replace(
        build_token_message(notice, table, region, account, address),
        body=f"{_text(notice, table)}\n",
    )


def _attributes(notice: Notice, table: str, address: str | None) -> dict[str, str]:
    values = {
        "event": notice.event.value,
        "threshold": format_threshold(notice.crossing.threshold),
        "username": shorten_text(notice.username or ""),
        "fingerprint": notice.crossing.fingerprint,
        "table": table,
        "system": "true" if notice.system else "false",
        "address": address or "",
    }
    # Escaped and not dropped: `ada` with an invisible character behind it must not pass for `ada`.
    cleaned = {key: _REFUSED.sub(lambda match: printable(match[0]), value) for key, value in values.items()}
    return {key: value for key, value in cleaned.items() if value.strip()}


def _text(notice: Notice, table: str) -> str:
    kind = "system token" if notice.system else "token"
    name = f' "{notice.label}"' if notice.name else ""
    owner = f" of {notice.owner}" if notice.owner else ""
    token = f"The {kind} {notice.crossing.fingerprint}{name}{owner} in {printable(table)}"
    when = f"{notice.distance}, on {notice.date}" if notice.has_date else notice.distance
    what_happened = {
        Event.EXPIRING: f"expires {when}",
        Event.EXPIRED: f"expired {when}",
        Event.DELETED: f"was deleted; it had expired {when}",
    }[notice.event]
    return f"{token} {what_happened}. {_WHAT_TO_DO[notice.event]}"
