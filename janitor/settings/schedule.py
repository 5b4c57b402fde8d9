"""A schedule file: one job in TOML (schedules/README.md), read strictly.

Every key is a setting of the command line (`schedule_keys`) and is read by that setting's own parser. What is wrong is
said with the file, the line and the key; an unknown key with the nearest one there is.
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
from janitor.settings.several import problems_of_several
from janitor.settings.table import TABLE_NAMES, PolicySettings
from janitor.settings.toml_lines import Places

_MOST_BYTES = 1_000_000
# What several tables share, and what it is where nobody gives it.
_SHARED: Mapping[str, Any] = {"report": (), "plan": None, "archive": None}
_SECTION_OF = {"report": "report", "plan": "delete", "archive": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A job, as its file has it.

    Attributes:
        path: the file.
        description: what it is for, in its owner's words.
        when: when it fires.
        tables: for each table of it the settings that say which, by their names; one empty mapping where it names none.
        is_sweep: whether it plans deletions; a scan otherwise.
        deletes: whether it deletes.
        values: every other setting that it gives, by its name; and a deadline, given or not.
    """

    path: Path
    description: str
    when: When
    tables: tuple[Mapping[str, Any], ...]
    is_sweep: bool
    deletes: bool
    values: Mapping[str, Any]


class ScheduleError(ConfigurationError):
    """A schedule file is wrong.

    Attributes:
        problems: a sentence for each thing that is, with file, line and key.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - 1
        way_out = f"{more} more: `janitor run {path} --check` says them all" if more else None
        super().__init__(problems[0], way_out, "schedule")


@dataclass(slots=True)
class _Reading:
    """A file on its way to a `Schedule`: its text, and what was found wrong so far."""

    path: Path
    places: Places
    problems: list[str] = field(default_factory=list)

    def say(self, problem: str, section: str, key: str | None = None, number: int = 0) -> None:
        line = self.places.line_of(section, key, number)
        place = f"{self.path}, line {line}" if line else f"{self.path}"
        named = f"[{section}] {key or ''}".strip() if section else key
        self.problems.append(f"{place}: {named}: {problem}")


def read_schedule(path: Path) -> bytes:
    """The bytes of a schedule file; of one that is too long as many as tell that.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    # The open itself does not wait for the other end of a FIFO.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(_MOST_BYTES + 1)
    finally:
        os.close(descriptor)


def load_schedule(path: Path) -> Schedule:
    """Read and check a file.

    Raises:
        ScheduleError: it cannot be read, or something in it is wrong.
    """
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScheduleError(path, [f"{path}: not TOML: {error}"]) from None
    except (ValueError, RecursionError):
        # What the parser lets through of Python's own limits.
        raise ScheduleError(path, [f"{path}: not TOML: nested too deeply, or a number too long"]) from None
    reading = _Reading(path, Places(text))
    sections = _sections(reading, document)
    tables = tuple(_section(reading, TABLE, values, number) for number, values in enumerate(sections.pop(TABLE)))
    when = _section(reading, WHEN, sections.pop(WHEN, {}))
    values: dict[str, Any] = {}
    for name, given in sections.items():
        values |= _section(reading, name, given)
    _check_tables(reading, tables, values)
    _merge_thresholds(values)
    description = document.get(DESCRIPTION, "")
    if not isinstance(description, str):
        reading.say("a text is wanted", "", DESCRIPTION)
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


def _text(path: Path) -> str:
    try:
        data = read_schedule(path)
        if len(data) > _MOST_BYTES:
            raise ScheduleError(path, [f"{path}: longer than a megabyte: this is no schedule file"])
        # Without the mark that some editors put at the start.
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ScheduleError(path, [f"{path} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ScheduleError(path, [f"{path}: not UTF-8; save it as UTF-8"]) from None


def _sections(reading: _Reading, document: Mapping[str, Any]) -> dict[str, Any]:
    """The sections by name, [table] as a list of them; what is no section, or unknown, is said."""
    found: dict[str, Any] = {TABLE: [{}]}
    for name, given in document.items():
        if name == DESCRIPTION:
            continue
        if name not in SECTIONS:
            what = "an unknown section" if isinstance(given, dict | list) else "an unknown key"
            section, key = (name, None) if isinstance(given, dict | list) else ("", name)
            reading.say(f"{what}; {_nearest(name, [DESCRIPTION, *SECTIONS])}", section, key)
        elif name == TABLE and isinstance(given, list) and given and all(isinstance(each, dict) for each in given):
            found[TABLE] = given
        elif isinstance(given, dict):
            found[name] = [given] if name == TABLE else given
        elif isinstance(given, list):
            reading.say(f"one section is wanted: [{name}], and no list of them", name)
        else:
            reading.say(f"a section is wanted: [{name}] and its keys below", "", name)
    return found


def _section(reading: _Reading, name: str, given: Mapping[str, Any], number: int = 0) -> dict[str, Any]:
    """The settings that a section gives, by the names of their fields."""
    keys = SECTIONS[name]
    values = {}
    for key, value in given.items():
        if key not in keys:
            elsewhere = [f"[{section}] {key}" for section, others in SECTIONS.items() if key in others]
            hint = f"it belongs to {elsewhere[0]}" if elsewhere else _nearest(key, keys)
            reading.say(f"an unknown key; {hint}", name, key, number)
            continue
        try:
            values[keys[key].field] = _read(keys[key], value)
        except ValueError as error:
            said = str(error)
            reading.say("a number too long" if "set_int_max_str_digits" in said else said, name, key, number)
    return values


def _read(key: Key, value: Any) -> Any:
    setting = key.setting
    if setting.is_switch:
        if not isinstance(value, bool):
            raise ValueError("true or false is wanted")
        return value
    if not setting.many:
        return _read_one(key, value)
    parts = value if isinstance(value, list) else [value]
    return tuple(_read_one(key, part) for part in parts)


def _read_one(key: Key, value: Any) -> Any:
    setting = key.setting
    text = value
    if key.takes_numbers and isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    if not isinstance(text, str):
        wanted = "a number is wanted" if key.takes_numbers else "a text is wanted, in quotes"
        shown = value.isoformat() if isinstance(value, dt.date | dt.time) else str(value).lower()
        raise ValueError(f"{wanted}, not {shown}")  # noqa: TRY004  # said like every other wrong value
    if setting.choices and text not in setting.choices:
        raise ValueError(f"{text!r} is none of {', '.join(setting.choices)}; {_nearest(text, setting.choices)}")
    if not text:
        raise ValueError("it is empty; give a value, or take the key away")
    return setting.parse(text)


def _nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"


def _check_tables(reading: _Reading, tables: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    for number, table in enumerate(tables):
        named = [name for name in TABLE_NAMES if name in table]
        if len(named) > 1:
            reading.say(f"{' and '.join(named)} both name the table; give one of them", TABLE, named[1], number)
        if not named and len(tables) > 1:
            reading.say(f"it names no table; give one of {', '.join(TABLE_NAMES)}", TABLE, None, number)
        if table in tables[:number]:
            reading.say("the same table once more; take it away", TABLE, None, number)
        deployments = table.get("deployment", ())
        if len(set(deployments)) < len(deployments):
            reading.say("the same deployment twice; name it once", TABLE, "deployment", number)
    if sum(max(1, len(table.get("deployment", ()))) for table in tables) > 1:
        shared = {name: values.get(name, default) for name, default in _SHARED.items()}
        for problem in problems_of_several(**shared):
            reading.say(
                f"{problem.value}: {problem.sentence}; {problem.way_out}", _SECTION_OF[problem.name], problem.name
            )


def _merge_thresholds(values: dict[str, Any]) -> None:
    """Announce at both: what the horizon is by default stays so beside thresholds."""
    thresholds = values.pop(THRESHOLDS, ())
    if thresholds:
        values["expiring_within"] = (*values.get("expiring_within", PolicySettings().expiring_within), *thresholds)
