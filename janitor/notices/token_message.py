"""A message for each notice (`--per-token`), so that filter policies can give owners only their own tokens.

A topic gets one JSON text for everybody, with attributes. With `--sns-format mail` it gets two texts: the JSON, and one
for mailboxes. SNS then delivers no attributes ("Amazon SNS message attributes", developer guide). They are sent all the
same, for filter policies, but AWS does not say whether those still see them: a policy that sees none lets no message
through, and so JSON alone is the default.
"""

import re
from dataclasses import replace

from janitor.notices.digest_parts import encode_message
from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import Notice, ascii_json, format_threshold, notice_fields
from janitor.notices.owner_text import OwnerMessageRules, TokenPlace, build_owner_text
from janitor.notices.subject_line import token_subject
from janitor.sinks.sns import Message
from janitor.tokens.printable import printable
from janitor.tokens.redact import shorten_text

SCHEMA = "janitor.notice/v1"

# Control characters, lone surrogates and non-characters: SNS refuses them in attributes, because XML 1.0 has no place
# for them.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def build_token_message(
    notice: Notice, place: TokenPlace, rules: OwnerMessageRules, address: str | None = None
) -> Message:
    """Build the message of a notice, for a topic.

    Args:
        notice: the notice.
        place: the token's table.
        rules: how the text is written.
        address: the owner's; None if it is not known.
    """
    text = build_owner_text(notice, place, rules)
    body = ascii_json(
        {
            "schema": SCHEMA,
            **notice_fields(notice),
            "table": place.table,
            "region": place.region or "-",
            "account_id": place.account,
            "text": text,
        }
    )
    return Message(
        subject=token_subject(notice),
        body=encode_message(email=text, json_text=body) if rules.is_structured else body,
        attributes=_attributes(notice, place.table, address),
        group_id=group_id(place.table),
        # With the table's whole address, because a token keeps its fingerprint when it moves to another table.
        deduplication_id=deduplication_id(notice.notice_id, place.account or "", place.region or "-", place.table),
        is_structured=rules.is_structured,
    )


def build_owner_mail(
    notice: Notice, place: TokenPlace, rules: OwnerMessageRules, address: str | None = None
) -> Message:
    """Build the same message as a mail: its text alone, to the address in its attribute."""
    message = build_token_message(notice, place, rules, address)
    return replace(message, body=build_owner_text(notice, place, rules), is_structured=False)


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
