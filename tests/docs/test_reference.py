"""The generated reference is what the code says, and leaves nothing out."""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from janitor.errors import ExitCode
from janitor.notices.digest_json import build_digest_json
from janitor.notices.failure_message import build_failure_message
from janitor.notices.notice import notice_fields
from janitor.notices.token_message import build_token_message
from janitor.report.model import Report
from janitor.report.schema import build_schema
from janitor.settings.schedule_keys import SECTIONS, WHEN
from janitor.settings.schedule_schema import build_schedule_schema
from tests.reference.commands import walk_commands
from tests.reference.log_events import MEANINGS, find_events
from tests.reference.pages import FOLDER, build_pages, find_stale_pages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return build_pages()


def test_the_pages_are_what_the_code_says(pages: dict[str, str]) -> None:
    assert find_stale_pages(FOLDER, pages) == []


def test_every_command_has_its_help(pages: dict[str, str]) -> None:
    missing = [each.command_path for each in walk_commands() if f" {each.command_path}\n" not in pages["commands.md"]]
    assert missing == []


def test_every_option_is_explained_with_its_variable(pages: dict[str, str]) -> None:
    options = [each for context in walk_commands() for each in context.command.params if isinstance(each, click.Option)]
    text = pages["options.md"]
    assert len(options) > 100
    assert [each.opts[-1] for each in options if f"## `{each.opts[-1]}`\n" not in text] == []
    assert [each.envvar for each in options if each.envvar and f"- Variable: `{each.envvar}`\n" not in text] == []


def test_every_key_of_a_schedule_file_occurs(pages: dict[str, str]) -> None:
    sections = {name: each for name, each in build_schedule_schema()["properties"].items() if name != "description"}
    parts = {part.partition("`")[0]: part for part in pages["schedule-file.md"].split("## `")}
    for name, section in sections.items():
        keys = section.get("properties") or section["oneOf"][0]["properties"]
        assert [key for key in keys if f"\n| `{key}` | " not in parts[f"[{name}]"]] == []


def test_every_key_of_a_schedule_file_is_named_at_its_option(pages: dict[str, str]) -> None:
    keys = {f"[{section}] {name}" for section, of in SECTIONS.items() if section != WHEN for name in of}
    named = set(re.findall(r"- Key of a schedule file: `(.*)`", pages["options.md"]))
    assert keys - named == {"[delete] enabled", "[notify] thresholds"}
    assert named <= keys


def test_every_key_of_the_report_has_a_type_and_a_meaning(pages: dict[str, str]) -> None:
    schema = build_schema(Report, "report")
    rows = [line.split(" | ") for line in pages["report.md"].splitlines() if line.startswith("| `")]
    described = {row[0].strip("| `") for row in rows if len(row) == 3 and row[1] and row[2].strip(" |")}
    keys = {key for part in [schema, *schema["$defs"].values()] for key in part.get("properties", {})}
    assert len(keys) > 100
    assert keys - described == {"schema"}


def test_the_schema_itself_says_what_each_key_means() -> None:
    schema = build_schema(Report, "report")
    parts = {"Report": schema, **schema["$defs"]}
    assert [f"{name}.{key}" for name, part in parts.items() for key in _undescribed(part)] == ["Report.schema"]
    assert not [name for name, part in parts.items() if "Attributes:" in part["description"]]


def _undescribed(part: dict[str, Any]) -> Iterator[str]:
    return (key for key, value in part.get("properties", {}).items() if "description" not in value)


def test_every_exit_code_has_a_meaning(pages: dict[str, str]) -> None:
    documented = inspect.getdoc(ExitCode) or ""
    assert [each.name for each in ExitCode if f"{each.name}: " not in documented] == []
    assert [int(each) for each in ExitCode if f"\n| {int(each)} | " not in pages["exit-codes.md"]] == []


def test_every_metric_that_the_code_names_occurs(pages: dict[str, str]) -> None:
    names = ["janitor_tokens", "janitor_last_success_timestamp_seconds", "janitor_last_run_deleted_tokens"]
    names += ["janitor_daemon_build_info", "janitor_daemon_runs_total", "janitor_daemon_next_run_timestamp_seconds"]
    assert [name for name in names if f"| `{name}` |" not in pages["metrics.md"]] == []
    assert pages["metrics.md"].count("\n| `janitor_") > 30


def test_every_log_event_of_the_source_has_a_meaning_and_no_other() -> None:
    assert set(find_events(ROOT / "janitor")) == set(MEANINGS)


def test_every_right_of_the_policies_occurs(pages: dict[str, str]) -> None:
    for path in (ROOT / "deploy" / "aws" / "iam").glob("*.json"):
        assert f"| `{path.name}` |" in pages["iam.md"]


def test_every_key_of_a_message_is_explained() -> None:
    text = (FOLDER / "messages.md").read_text(encoding="utf-8")
    sources: list[Callable[..., object]] = [
        build_digest_json,
        notice_fields,
        build_token_message,
        build_failure_message,
    ]
    keys = {key for source in sources for key in re.findall(r'^\s+"(\w+)": ', inspect.getsource(source), re.MULTILINE)}
    keys |= set(re.findall(r'_list_with_omitted\(\s*"(\w+)"', inspect.getsource(build_digest_json)))
    assert len(keys) > 40
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
