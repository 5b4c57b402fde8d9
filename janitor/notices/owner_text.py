"""The text of a message to a token's owner, for people: which token, until when, what breaks then, what to do.

What LISA lets an owner do differs. From 6.1 on its page makes a new token only for a user who has no row in the table,
expired or not (lambda/api_tokens/handler.py); before, and for system tokens, operators make them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from janitor.notices.notice import Event, Notice
from janitor.notices.text_wrapping import wrap_text
from janitor.report.target_options import format_target
from janitor.settings.notice_text import NoticeText
from janitor.tokens.printable import printable

_INDENT = "  "
_LABEL_WIDTH = 13
# Of an operator's line, which goes on with it where it is wrapped.
_MAX_INDENT = 24
_NOBODY_NAMED = "the people who run LISA"
_UNKNOWN = "not known"
_HOW_TO_FIND = 'printf %s "$TOKEN" | sha256sum | cut -c1-12'


class TokenPlace(NamedTuple):
    """The table that a token is in: its name, region, and account if that is known."""

    table: str
    region: str | None
    account: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMessageRules:
    """How messages to owners are written.

    Attributes:
        is_hashed: whether LISA 6.1 or later reads the table.
        has_fingerprint_key: whether fingerprints are made with a key, so that owners cannot compute them.
        contact: whom owners ask; None if nobody is named.
        text: what owners are to do; None for how LISA does it.
        is_structured: whether a topic's mailboxes get the text alone (`--sns-format mail`).
    """

    is_hashed: bool = True
    has_fingerprint_key: bool = False
    contact: str | None = None
    text: NoticeText | None = None
    is_structured: bool = False


def build_owner_text(notice: Notice, place: TokenPlace, rules: OwnerMessageRules) -> str:
    """Build the text: lines of at most 72 columns, but for addresses in the operator's own words."""
    lines = [*wrap_text(f"{_opening(notice)}."), "", *_fact_lines(notice, place)]
    lines += _section("What that means", [_consequence(notice)])
    lines += _heading("What to do")
    lines += _own_words(notice, place, rules) if rules.text is not None else _advice_lines(notice, place, rules)
    lines += _finding_lines(rules)
    if rules.contact is not None:
        lines += ["", *wrap_text(f"Questions: {rules.contact}", splits_words=False)]
    return "".join(f"{line}\n" for line in lines)


def _opening(notice: Notice) -> str:
    kind = "The LISA system token" if notice.system else "Your LISA token" if notice.owner else "The LISA token"
    token = f'{kind} "{notice.label}"' if notice.name else f"{kind} {notice.crossing.fingerprint}"
    when = f"{notice.distance}, on {notice.date}" if notice.has_date else notice.distance
    happened = {
        Event.EXPIRING: f"expires {when}",
        Event.EXPIRED: f"expired {when}",
        Event.DELETED: f"was deleted; it had expired {when}",
    }[notice.event]
    return f"{token} {happened}"


def _fact_lines(notice: Notice, place: TokenPlace) -> Iterator[str]:
    account = f", account {place.account}" if place.account else ""
    when = f"{notice.date}, {notice.distance}" if notice.has_date else notice.distance
    facts = {
        "Fingerprint": notice.crossing.fingerprint,
        "Name": notice.label if notice.name else None,
        "Owner": notice.owner,
        "Made": notice.creation_date,
        "Expires" if notice.event is Event.EXPIRING else "Expired": when,
        "Table": f"{place.table} in {place.region}{account}" if place.region else place.table,
    }
    for label, text in facts.items():
        if text is not None:
            rest = " " * (len(_INDENT) + _LABEL_WIDTH)
            yield from wrap_text(printable(text), first=f"{_INDENT}{label:<{_LABEL_WIDTH}}", rest=rest)


def _consequence(notice: Notice) -> str:
    if notice.event is Event.EXPIRING:
        since = f"From {notice.date}" if notice.has_date else "From then"
        return f"{since} on, LISA rejects this token. Whatever still uses it then, a script or a tool, stops working."
    return "LISA has rejected this token since it expired. Whatever still uses it does not work."


def _own_words(notice: Notice, place: TokenPlace, rules: OwnerMessageRules) -> Iterator[str]:
    """The operator's text with this token's values, line by line."""
    assert rules.text is not None  # noqa: S101  # asked by the caller
    values = {
        "username": notice.owner or _UNKNOWN,
        "name": notice.label,
        "fingerprint": notice.crossing.fingerprint,
        "created": notice.creation_date or _UNKNOWN,
        "expires": notice.date,
        "when": notice.distance,
        "table": place.table,
        "region": place.region or _UNKNOWN,
        "account": place.account or _UNKNOWN,
        "contact": rules.contact or _NOBODY_NAMED,
    }
    for line in rules.text.fill({field: printable(value) for field, value in values.items()}).splitlines():
        text = printable(line.expandtabs(4).rstrip())
        start = " " * min(len(text) - len(text.lstrip()), _MAX_INDENT)
        yield from wrap_text(text.lstrip(), first=start, rest=start, splits_words=False)


def _advice_lines(notice: Notice, place: TokenPlace, rules: OwnerMessageRules) -> Iterator[str]:
    """How LISA does it."""
    who = _name_operators(rules)
    makes_own = rules.is_hashed and not notice.system
    if notice.event is Event.EXPIRING:
        yield from _paragraph(f"Before then, ask {who} to extend this token, or to give you a new one in its place.")
        yield from _operator_lines(
            [
                *_command(f"extend {notice.crossing.fingerprint} --by 90d", place, rules),
                *_command(f"rotate {notice.crossing.fingerprint} --expires-in 90d --overlap 24h", place, rules),
            ],
            "They do it with one of these:",
        )
        if makes_own:
            yield ""
            yield from _paragraph(
                "LISA's own page makes you a new token only while you have none in its table, expired or not. So there"
                " this one has to be deleted first, and is rejected from then on."
            )
    elif makes_own and notice.event is Event.EXPIRED:
        yield from _paragraph(
            "If you still need it, make a new token on LISA's page for API tokens. LISA lets you only while you have"
            f" none in its table, expired or not: delete this one there, or ask {who} to remove it."
        )
        yield from _operator_lines(_command(f"remove {notice.crossing.fingerprint}", place, rules), "They do it with:")
    elif makes_own:
        yield from _paragraph(
            "If you still need it, make a new token on LISA's page for API tokens. If LISA does not let you, another"
            f" token of yours is in its table: ask {who}."
        )
    else:
        yield from _paragraph(f"If you still need it, ask {who} for a new one.")
    stays = "An extended token stays as it is; put" if notice.event is Event.EXPIRING else "Put"
    yield ""
    yield from _paragraph(f"{stays} a new one wherever the old one is used.")


def _name_operators(rules: OwnerMessageRules) -> str:
    """Name whom owners ask, within a sentence: the operator's words may be anything, a list too."""
    return _NOBODY_NAMED if rules.contact is None else f"{_NOBODY_NAMED} ({rules.contact})"


def _operator_lines(commands: list[str], introduction: str) -> Iterator[str]:
    yield ""
    yield introduction
    yield from commands


def _command(text: str, place: TokenPlace, rules: OwnerMessageRules) -> list[str]:
    """A command for operators, on lines that a shell takes as one."""
    key = [f"{_INDENT * 3}--fingerprint-key-file FILE \\"] if rules.has_fingerprint_key else []
    target = format_target(place.table, place.region, None).lstrip()
    return [f"{_INDENT}janitor token {text} \\", *key, f"{_INDENT * 3}{target}"]


def _finding_lines(rules: OwnerMessageRules) -> Iterator[str]:
    """Say how an owner finds out whether a token at hand is this one."""
    if rules.has_fingerprint_key:
        who = _name_operators(rules)
        text = f"Fingerprints here are made with a secret: go by the name and the dates above, or ask {who}."
        yield from _section("Which token it is", [f"No message shows a token. {text}"])
        return
    text = (
        "No message shows a token. If you have one at hand, this prints its fingerprint; compare it with the one above:"
    )
    yield from _section("Which token it is", [text])
    yield f"{_INDENT}{_HOW_TO_FIND}"


def _section(title: str, paragraphs: list[str]) -> list[str]:
    return [*_heading(title), *(line for paragraph in paragraphs for line in _paragraph(paragraph))]


def _paragraph(text: str) -> list[str]:
    return wrap_text(text, splits_words=False)


def _heading(title: str) -> list[str]:
    return ["", title, "-" * len(title)]
