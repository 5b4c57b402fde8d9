"""Reasons: what is wrong with a row of a hashed table besides its date, whatever its state.

The rules are those of LISA v6.6.0. Some rows hold a secret that should not be there, some make LISA itself fail:

- lambda/authorizer/lambda_functions.py: `json.dumps(token_info.get("groups", []))` raises for numbers, sets and
  binaries, and API Gateway refuses the caller; Serve (lib/serve/rest-api/src/auth.py) accepts the row all the same.
- lambda/api_tokens/handler.py, `ListTokensHandler`: one row that does not fit `TokenInfo` (domain_objects.py), a
  pydantic model, and the list of tokens fails for every administrator. LISA before 6.1 has no such list.
- lisa-sdk/lisapy/authentication.py, `create_api_token`: leaves LISA's management key, in plain text, as a row's key.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from janitor.tokens import attribute_names
from janitor.tokens.dialect import is_sha256, lacks_uuid
from janitor.tokens.expiration import is_whole_number
from janitor.tokens.row import Row, Text, Value, describe_kind

PLAIN_TEXT_KEY = "plain-text-key"
KEY_NOT_A_SHA256 = "key-not-a-sha256"
GROUPS_BREAK_AUTHORIZER = "groups-break-authorizer"
BREAKS_LISA_LIST = "breaks-lisa-list"
REASONS = frozenset([PLAIN_TEXT_KEY, KEY_NOT_A_SHA256, GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST])
# Those that make a part of LISA fail, whatever the row's state.
BREAKING = frozenset([GROUPS_BREAK_AUTHORIZER, BREAKS_LISA_LIST])

# What pydantic's `bool` and `int` read from a text (pydantic, "Conversion Table"; tests ask pydantic itself).
_TRUTH_WORDS = frozenset(["0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes"])
_WHOLE_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:_[0-9]+)*(?:\.0+)?\s*").fullmatch
_MAX_NUMBER_LENGTH = 4_300
# Far fewer than boto3 can hold.
_DIGITS = 20
_HEX_IN_ANY_CASE = re.compile(r"[0-9a-fA-F]{64}").fullmatch
# What json.dumps refuses, of what boto3 makes of a row: Decimal, set, Binary.
_NOT_JSON = frozenset(["N", "NS", "SS", "BS", "B"])


class Fault(NamedTuple):
    """An attribute that LISA's list of tokens cannot read, and what it is instead: `createdBy`, `a number`."""

    attribute: str
    what: str


def find_reasons(row: Row) -> tuple[str, ...]:
    """Return the reasons of a row of a hashed table, besides those of its date; empty for a row as LISA writes it."""
    return () if _is_as_lisa_writes(row) else tuple(_list_reasons(row))


def _list_reasons(row: Row) -> Iterator[str]:
    has_uuid, is_found = not lacks_uuid(row), is_sha256(row.key.S or "")
    if has_uuid and not is_found:
        yield KEY_NOT_A_SHA256
    # A row without tokenUUID is from before 6.1, or of lisa-sdk: the key is the token, whatever it looks like.
    if not has_uuid or not _HEX_IN_ANY_CASE(row.key.S or ""):
        yield PLAIN_TEXT_KEY
    if has_uuid and is_found and row.groups is not None and _is_refused_by_json(row.groups):
        yield GROUPS_BREAK_AUTHORIZER
    if find_list_faults(row):
        yield BREAKS_LISA_LIST


def find_list_faults(row: Row) -> list[Fault]:
    """List the attributes that break LISA's list of tokens; of those that janitor reads."""
    return [
        *_find_number_fault(attribute_names.EXPIRATION, row.expiration, text_counts=False),
        *_find_number_fault(attribute_names.CREATED_DATE, row.created_date, text_counts=True),
        *_find_text_fault(attribute_names.UUID, row.token_uuid),
        *_find_text_fault(attribute_names.USERNAME, row.username),
        *_find_text_fault(attribute_names.CREATED_BY, row.created_by),
        # LISA shows the key of a row without tokenUUID as its name.
        *(() if lacks_uuid(row) else _find_text_fault(attribute_names.NAME, row.name)),
        *_find_groups_fault(row.groups),
        *_find_truth_fault(row.is_system),
    ]


def _is_as_lisa_writes(row: Row) -> bool:
    """Whether every attribute is as LISA itself writes it, or missing. Most rows are, and this is cheaper."""
    return (
        (value := row.token_uuid) is not None
        and bool(value.S)
        and (
            (value := row.expiration) is None
            or ((number := value.N) is not None and number.isdecimal() and len(number) <= _DIGITS)
        )
        and (
            (value := row.created_date) is None
            or ((number := value.N) is not None and number.isdecimal() and len(number) <= _DIGITS)
        )
        and ((text := row.username) is None or text.S is not None)
        and ((text := row.name) is None or text.S is not None)
        and ((text := row.created_by) is None or text.S is not None)
        and ((value := row.is_system) is None or value.BOOL is not None)
        and ((value := row.groups) is None or ((texts := value.L) is not None and _are_texts(texts)))
        and is_sha256(row.key.S or "")
    )


def _find_number_fault(attribute: str, value: Value | None, *, text_counts: bool) -> Iterator[Fault]:
    """Find what is wrong with a date. A text fails for the expiration, which LISA compares before it converts."""
    if value is None or value.BOOL is not None:
        return
    if value.N is not None:
        if not is_whole_number(value.N):
            yield Fault(attribute, "not a whole number")
    elif not (text_counts and value.S is not None and _reads_as_whole_number(value.S)):
        yield Fault(attribute, describe_kind(value))


def _reads_as_whole_number(text: str) -> bool:
    return len(text) <= _MAX_NUMBER_LENGTH and _WHOLE_NUMBER(text) is not None


def _find_text_fault(attribute: str, value: Value | Text | None) -> Iterator[Fault]:
    if value is not None and value.S is None:
        yield Fault(attribute, describe_kind(value) if isinstance(value, Value) else "not a text")


def _find_groups_fault(value: Value | None) -> Iterator[Fault]:
    # pydantic makes a list of a set of texts.
    if value is None or value.SS is not None:
        return
    if value.L is None:
        yield Fault(attribute_names.GROUPS, describe_kind(value))
    elif not _are_texts(value.L):
        yield Fault(attribute_names.GROUPS, "a list that holds more than texts")


def _are_texts(values: list[Value]) -> bool:
    # A loop, because all() over a generator takes twice as long, and this runs for every finding.
    for each in values:  # noqa: SIM110
        if each.S is None:
            return False
    return True


def _find_truth_fault(value: Value | None) -> Iterator[Fault]:
    if value is None or value.BOOL is not None:
        return
    if value.S is not None:
        reads = value.S.lower() in _TRUTH_WORDS
    else:
        reads = value.N is not None and is_whole_number(value.N) and float(value.N) in (0, 1)
    if not reads:
        yield Fault(attribute_names.IS_SYSTEM, f"{describe_kind(value)} that is neither true nor false")


def _is_refused_by_json(value: Value) -> bool:
    """Whether the value is or holds a number, a set or a binary."""
    return value.kind in _NOT_JSON or any(map(_is_refused_by_json, (*(value.L or ()), *(value.M or {}).values())))


def looks_like_lisa_sdk(row: Row) -> bool:
    """Whether the row is as lisa-sdk leaves it: a key and a date, and nothing else."""
    others = (row.token_uuid, row.username, row.name, row.created_by, row.created_date, row.groups, row.is_system)
    return row.expiration is not None and all(each is None for each in others)


def describe_reasons(row: Row, reasons: tuple[str, ...]) -> Iterator[str]:
    """Say in words what each of these reasons is about; nothing about a reason of the date."""
    if KEY_NOT_A_SHA256 in reasons:
        yield "its key is not a sha256 in lower case"
    if PLAIN_TEXT_KEY in reasons:
        whose = (
            ", maybe LISA's management key, which LISA accepts everywhere, even without this row"
            if looks_like_lisa_sdk(row)
            else ""
        )
        yield f"its key is in plain text{whose}"
    if GROUPS_BREAK_AUTHORIZER in reasons:
        yield "its groups make API Gateway reject it with an error, though Serve accepts it"
    if BREAKS_LISA_LIST in reasons:
        faults = ", ".join(f"{fault.attribute} is {fault.what}" for fault in find_list_faults(row))
        yield f"breaks LISA's list of tokens for everybody: {faults}"
