"""A schedule file: one job in TOML (docs/reference/schedule-file.md), read strictly.

Every key is a setting of the command line (`schedule_keys`), and its value is parsed by that setting's own parser.
Every problem names the file, the line and the key; that of an unknown key suggests the nearest one.
"""

import datetime as dt
import difflib
import errno
import os
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from janitor.errors import ConfigurationError
from janitor.settings.cron import When
from janitor.settings.schedule_keys import (
    DEFAULT_DEADLINE,
    DESCRIPTION,
    SECTIONS,
    TABLE,
    THRESHOLDS,
    WHEN,
    Key,
)
from janitor.settings.shared_places import find_shared_places
from janitor.settings.table import TABLE_OPTIONS, PolicySettings
from janitor.settings.toml_lines import KeyLines

_MAX_BYTES = 1_000_000
# The places that several tables share, with their defaults.
_SHARED: Mapping[str, Any] = {"report": (), "plan": None, "archive": None}
_SECTION_OF = {"report": "report", "plan": "delete", "archive": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The job that a schedule file describes.

    Attributes:
        path: the file.
        description: what the job is for, in its owner's words.
        when: when it fires.
        tables: for each table, the settings that name it, by field name; one empty mapping if the file names no table.
        is_sweep: whether it plans deletions; otherwise it is a scan.
        deletes: whether it deletes.
        values: every other setting of the file, by field name; and always a deadline.
    """

    path: Path
    description: str
    when: When
    tables: tuple[Mapping[str, Any], ...]
    is_sweep: bool
    deletes: bool
    values: Mapping[str, Any]


class ScheduleError(ConfigurationError):
    """A schedule file is not valid.

    Attributes:
        problems: a sentence for each problem, with file, line and key.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - 1
        way_out = f"{more} more: `janitor run {path} --check` prints them all" if more else None
        super().__init__(problems[0], way_out, "schedule")


@dataclass(slots=True)
class _Reading:
    """A schedule file while it is read: where its keys are, and the problems found so far."""

    path: Path
    key_lines: KeyLines
    problems: list[str] = field(default_factory=list)

    def add_problem(self, problem: str, section: str, key: str | None = None, number: int = 0) -> None:
        line = self.key_lines.line_of(section, key, number)
        place = f"{self.path}, line {line}" if line else f"{self.path}"
        named = f"[{section}] {key or ''}".strip() if section else key
        self.problems.append(f"{place}: {named}: {problem}")


def read_schedule(path: Path) -> bytes:
    """Read a schedule file; of one that is too long, one byte more than is allowed.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    # O_NONBLOCK: opening a FIFO does not wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(_MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def load_schedule(path: Path) -> Schedule:
    """Read and check a file.

    Raises:
        ScheduleError: it cannot be read, or something in it is wrong.
    """
    text = _read_text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScheduleError(path, [f"{path}: not TOML: {_explain_toml_error(error)}"]) from None
    except (ValueError, RecursionError):
        # tomllib does not translate errors of Python's own limits.
        raise ScheduleError(path, [f"{path}: not TOML: nested too deeply, or a number too long"]) from None
    reading = _Reading(path, KeyLines(text))
    sections = _read_sections(reading, document)
    tables = tuple(_read_section(reading, TABLE, values, number) for number, values in enumerate(sections.pop(TABLE)))
    when = _read_section(reading, WHEN, sections.pop(WHEN, {}))
    values: dict[str, Any] = {}
    for name, given in sections.items():
        values |= _read_section(reading, name, given)
    _check_tables(reading, tables, values)
    _merge_thresholds(values)
    description = document.get(DESCRIPTION, "")
    if not isinstance(description, str):
        reading.add_problem("give a text in quotes", "", DESCRIPTION)
    if reading.problems:
        raise ScheduleError(path, reading.problems)
    values.setdefault("deadline", DEFAULT_DEADLINE)
    deletes = bool(values.pop("enabled", False))
    return Schedule(
        path=path,
        description=description,
        when=When(**when),
        tables=tables,
        is_sweep="delete" in document,
        deletes=deletes,
        values=values,
    )


def _explain_toml_error(error: tomllib.TOMLDecodeError) -> str:
    """The parser's sentence, and the way out where the two most frequent mistakes lead to it."""
    sentence = str(error)
    if sentence.startswith("Invalid value"):
        return f"{sentence}; put a text in quotes, and write true or false in lower case"
    return f"{sentence}; the key or section is there twice" if sentence.startswith("Cannot ") else sentence


def _read_text(path: Path) -> str:
    try:
        data = read_schedule(path)
        if len(data) > _MAX_BYTES:
            raise ScheduleError(path, [f"{path}: longer than a megabyte; this is not a schedule file"])
        # utf-8-sig: without the byte order mark that some editors put at the start.
        return data.decode("utf-8-sig")
    except OSError as error:
        way_out = "; give the path of a schedule file" if error.errno == errno.ENOENT else ""
        raise ScheduleError(path, [f"{path} cannot be read: {error.strerror}{way_out}"]) from None
    except UnicodeDecodeError:
        raise ScheduleError(path, [f"{path}: not UTF-8; save it as UTF-8"]) from None


def _read_sections(reading: _Reading, document: Mapping[str, Any]) -> dict[str, Any]:
    """The sections by name, [table] as a list; reports what is unknown or not a section."""
    found: dict[str, Any] = {TABLE: [{}]}
    for name, given in document.items():
        if name == DESCRIPTION:
            continue
        if name not in SECTIONS:
            what = "an unknown section" if isinstance(given, dict | list) else "an unknown key"
            section, key = (name, None) if isinstance(given, dict | list) else ("", name)
            reading.add_problem(f"{what}; {_suggest_name(name, [DESCRIPTION, *SECTIONS])}", section, key)
        elif name == TABLE and isinstance(given, list) and given and all(isinstance(each, dict) for each in given):
            found[TABLE] = given
        elif isinstance(given, dict):
            found[name] = [given] if name == TABLE else given
        elif isinstance(given, list):
            reading.add_problem(f"give one section [{name}], not a list of them", name)
        else:
            reading.add_problem(f"give a section [{name}], with its keys below it", "", name)
    return found


def _read_section(reading: _Reading, name: str, given: Mapping[str, Any], number: int = 0) -> dict[str, Any]:
    """The settings that a section gives, by the names of their fields."""
    keys = SECTIONS[name]
    values = {}
    for key, value in given.items():
        if key not in keys:
            reading.add_problem(f"an unknown key; {_suggest_key(key, keys)}", name, key, number)
            continue
        try:
            values[keys[key].field] = _read_value(keys[key], value)
        except ValueError as error:
            sentence = str(error)
            is_too_long = "set_int_max_str_digits" in sentence
            reading.add_problem("the number is too long" if is_too_long else sentence, name, key, number)
    return values


def _read_value(key: Key, value: Any) -> Any:
    setting = key.setting
    if setting.is_switch:
        if not isinstance(value, bool):
            raise ValueError("give true or false, without quotes")
        return value
    if not setting.is_repeatable:
        return _read_one(key, value)
    parts = value if isinstance(value, list) else [value]
    return tuple(_read_one(key, part) for part in parts)


def _read_one(key: Key, value: Any) -> Any:
    setting = key.setting
    text = value
    if setting.value_if_bare is not None and value is True:
        text = setting.value_if_bare
    if key.takes_numbers and isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    if not isinstance(text, str):
        example = f', like "{setting.default.split()[0]}"' if setting.default else ""
        wanted = "give a number" if key.takes_numbers else f"give a text in quotes{example}"
        given = value.isoformat() if isinstance(value, dt.date | dt.time) else str(value).lower()
        raise ValueError(f"{wanted}, not {given}")  # noqa: TRY004  # reported like every other wrong value
    if setting.choices and text not in setting.choices:
        raise ValueError(f"{text!r} is none of {', '.join(setting.choices)}; {_suggest_name(text, setting.choices)}")
    if not text:
        raise ValueError("it is empty; give a value, or remove the key")
    return setting.parse_text(text)


def _suggest_key(key: str, keys: Mapping[str, Key]) -> str:
    """Say where an unknown key belongs, or which one was probably meant."""
    if key.replace("-", "_") == "dry_run":
        return "[delete] enabled = false makes it a dry run, and so does `janitor run FILE --dry-run`"
    elsewhere = [f"[{section}] {key}" for section, others in SECTIONS.items() if key in others]
    return f"it belongs to {elsewhere[0]}" if elsewhere else _suggest_name(key, keys)


def _suggest_name(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"


def _check_tables(reading: _Reading, tables: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    for number, table in enumerate(tables):
        named = [name for name in TABLE_OPTIONS if name in table]
        if len(named) > 1:
            reading.add_problem(f"{' and '.join(named)} both name the table; give one of them", TABLE, named[1], number)
        if not named and len(tables) > 1:
            reading.add_problem(f"it names no table; give one of {', '.join(TABLE_OPTIONS)}", TABLE, None, number)
        if table in tables[:number]:
            reading.add_problem("the same table again; remove it", TABLE, None, number)
        deployments = table.get("deployment", ())
        if len(set(deployments)) < len(deployments):
            reading.add_problem("the same deployment twice; name it once", TABLE, "deployment", number)
    if sum(max(1, len(table.get("deployment", ()))) for table in tables) > 1:
        shared = {name: values.get(name, default) for name, default in _SHARED.items()}
        for problem in find_shared_places(**shared):
            reading.add_problem(
                f"{problem.value}: {problem.sentence}; {problem.way_out}", _SECTION_OF[problem.name], problem.name
            )


def _merge_thresholds(values: dict[str, Any]) -> None:
    """Add the thresholds to `expiring_within`, or to its default: a token is announced at all of them."""
    thresholds = values.pop(THRESHOLDS, ())
    if thresholds:
        values["expiring_within"] = (*values.get("expiring_within", PolicySettings().expiring_within), *thresholds)
