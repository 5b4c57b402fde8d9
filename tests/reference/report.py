"""report.md: each key of the report, with its type and meaning."""

import datetime as dt
import enum
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from janitor.report.model import Report
from janitor.report.schema import build_schema
from tests.reference.markdown import code, codes, page, prose, sentence, table

_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    dt.datetime: "time",
    dt.date: "day",
}

_OPENING = """\
After this page you know what each key of a report means, and which format to read it in.

The report is `janitor.report/v1`. `--format json` prints it, and `--report json=PATH` writes it to a file or to S3. Every key
is always there; what is not known is `null`. A time is a text like `2027-01-31T02:00:00Z`, a day one like `2027-01-31`, both in
UTC; a duration is in seconds.

`janitor schema report` prints the JSON Schema of the report. `janitor schema` has more: `doctor`, `plan-details` (what
`janitor plan show` prints), `archive-list`, `token`, `token-change`, `token-import` and `schedule`."""

_FORMATS = """\
## Formats

| format | what it holds |
| --- | --- |
| `table` | for people, on a terminal: as wide as the terminal, or as `COLUMNS` says, else 160 columns; reasons and commands are never cut |
| `json` | the report below, with at most `--max-findings` findings, most urgent first but some of every state; `findings_omitted` says how many more there were |
| `ndjson` | every finding, one a line, and the report itself as the last line |
| `csv` | every finding, one a row |
| `markdown` | for an issue or a chat: it mentions nobody and refers to nothing (an invisible space breaks up `@name`, `#12` and the like; mail addresses stay whole), and has at most 65,536 characters, GitHub's limit, with a line on what there was no room for |
| `html` | one file without scripts or outside requests, for screens of any width, light and dark, and for paper; below 3 MB, and it says what it leaves out |
| `ics` | a calendar with an event for each coming expiry, and an alarm at each threshold |
| `xlsx` | a workbook with a sheet for the summary and one for each state; needs the extra `excel`; at most `--max-findings` findings |
| `none` | no report on standard output; the log's last line, `run.finished`, has the counts |

A text in a `csv` stays that text in LibreOffice, pandas and DuckDB: where they would read a formula, a number, a date, a truth
value or a missing value, as of the fingerprint `748922512345`, a `_` stands before it. Commands take it with the `_`. The file
is in UTF-8, as LibreOffice has to be told when it asks. A finding's `groups` have `;` between them there. In a workbook names
are texts, never formulas or links, and dates are real dates in UTC.

Characters that a terminal obeys or does not show, bidirectional controls among them, are written as escapes in every format
and in logs.

## What the filters change

`--user`, `--name` and `--group` of `scan` and `token list` choose which findings a report lists; `listing` says which were
asked for. The counts, and what `--fail-on` looks at, are still of the whole table. The forecast, `locked_out` and the warnings
about rows are of what was asked for. A filtered scan notifies nobody and remembers nothing, and refuses a topic, `--notify`,
`--per-token`, metrics, a heartbeat, a state store and `--unlock-after`. It takes filters as typed, never from a variable, and a
schedule file has none. Those of a sweep choose what may go.

On a classic table `changes` cannot always tell whether a token was extended far ahead or removed: it counts as `vanished`.
`last_seen` and `idle` need `--last-seen`: LISA 6.1.1 and later counts the prompts of each user, not of each token, so they
say nothing of a single token."""


def build_report_page() -> str:
    """Every class of the report, in the order in which a reader of the JSON meets them."""
    schema = build_schema(Report, "report")
    described = {**schema["$defs"], "Report": schema}
    places: dict[type, str] = {}
    _collect(Report, "", places)
    parts = []
    for part, place in places.items():
        keys = described[part.__name__]["properties"]
        rows = [
            (code(name), _spell(type_, places), prose(sentence(keys[name].get("description", ""))))
            for name, type_ in _fields(part)
        ]
        heading = f"## {code(place)}" if place else "## The whole report"
        parts += [heading, prose(described[part.__name__]["description"]), table(("key", "value", "meaning"), rows)]
    return page("Report", _OPENING, _FORMATS, *parts)


def _fields(part: type) -> list[tuple[str, Any]]:
    fields = [(field.encode_name, field.type) for field in msgspec.structs.fields(part)]
    config = part.__struct_config__  # type: ignore[attr-defined]
    return [(config.tag_field, config.tag), *fields] if config.tag_field else fields


def _collect(part: type, place: str, places: dict[type, str]) -> None:
    """Note where each class first stands, level by level, so that the shortest place is named."""
    waiting = [(part, place)]
    while waiting:
        each, at = waiting.pop(0)
        if each in places:
            continue
        places[each] = at
        for name, type_ in _fields(each):
            for inner, is_list in _structs(type_):
                waiting.append((inner, f"{at}.{name}".lstrip(".") + ("[]" if is_list else "")))


def _structs(type_: Any, *, is_list: bool = False) -> list[tuple[type, bool]]:
    if inspect.isclass(type_) and issubclass(type_, msgspec.Struct):
        return [(type_, is_list)]
    is_one = typing.get_origin(type_) in (list, tuple)
    return [found for inner in typing.get_args(type_) for found in _structs(inner, is_list=is_list or is_one)]


def _spell(type_: Any, places: Mapping[type, str]) -> str:  # noqa: PLR0911  # one for each kind of type
    if isinstance(type_, str):
        return code(type_)
    if type_ in places:
        return code(places[type_])
    if type_ in _NAMES:
        return _NAMES[type_]
    if type_ is types.NoneType:
        return "`null`"
    if inspect.isclass(type_) and issubclass(type_, enum.Enum):
        return codes(member.value for member in type_).replace("`, `", "` or `")
    origin, inner = typing.get_origin(type_), [each for each in typing.get_args(type_) if each is not ...]
    if origin in (list, tuple):
        return f"list of {_spell(inner[0], places)}"
    return " or ".join(_spell(each, places) for each in inner) if inner else str(type_)
