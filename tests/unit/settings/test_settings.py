"""Several values in one variable: a JSON array, or one a line, and with spaces between where no value can hold one.

And where a value comes from: settings carry that themselves.
"""

import dataclasses
import json

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli import app
from janitor.cli.options import takes
from janitor.settings.setting import Origin, Setting, settings_of, split_values
from janitor.settings.table import TableSettings

NAMES = Setting(help="", is_repeatable=True, may_hold_spaces=True)
DURATIONS = Setting(help="", is_repeatable=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("John Doe", ["John Doe"]),
        ("John Doe\nsvc *", ["John Doe", "svc *"]),
        ("John Doe\r\nsvc *\r\n", ["John Doe", "svc *"]),
        ("  John Doe  \n\n\tsvc *\n", ["John Doe", "svc *"]),
        ('["John Doe", "svc *"]', ["John Doe", "svc *"]),
        (' [\n "a b",\n "c"\n]\n', ["a b", "c"]),
        ('[" kept as it is "]', [" kept as it is "]),
        ('["line\\nend"]', ["line\nend"]),
        ("[]", []),
        ("  \n ", []),
        ("alice,bob", ["alice,bob"]),
        # A pattern may begin or end with a bracket.
        ("[a-c]*", ["[a-c]*"]),
        ("*[0-9]", ["*[0-9]"]),
        ('["[ab]"]', ["[ab]"]),
        # What is no line end to a shell is none here.
        ("a\u2028b\x0bc\x85d", ["a\u2028b\x0bc\x85d"]),
    ],
)
def test_a_setting_whose_values_may_hold_spaces(text: str, values: list[str]) -> None:
    assert split_values(NAMES, text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("30d 7d  1d", ["30d", "7d", "1d"]),
        ("30d\n7d\t1d\r\n", ["30d", "7d", "1d"]),
        ('["30d", "7d"]', ["30d", "7d"]),
        ("", []),
    ],
)
def test_a_setting_whose_values_hold_none(text: str, values: list[str]) -> None:
    assert split_values(DURATIONS, text) == values


@pytest.mark.parametrize("setting", [NAMES, DURATIONS])
@pytest.mark.parametrize(
    "text",
    [
        "['a', 'b']",
        '["a", "b"',
        '["a" "b"]',
        "[a, b]",
        "[1, 2]",
        '["a", null]',
        '["a", ["b"]]',
        '[{"a": 1}]',
        "[" * 9_999 + "]",
    ],
)
def test_what_was_meant_for_an_array_and_is_none_is_no_pattern(setting: Setting, text: str) -> None:
    with pytest.raises(ValueError, match="a JSON array"):
        split_values(setting, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('["bob"', "begins as a JSON array and ends too early"),
        ('["bob', "begins as a JSON array and breaks at character 2"),
        ('["a" "b"]', "begins as a JSON array and breaks at character 6"),
        ("['a', 'b']", "begins as a JSON array and breaks at character 2"),
        ('["a", "b"] c', "begins as a JSON array and breaks at character 12"),
        ("[1, 2]", "is a JSON array, but not of strings"),
    ],
)
def test_it_is_said_where_an_array_breaks_and_never_what_is_in_it(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="JSON array") as raised:
        split_values(NAMES, text)
    assert says in str(raised.value)
    assert "bob" not in str(raised.value)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_any_values_can_be_said_as_an_array(values: list[str]) -> None:
    assert split_values(NAMES, json.dumps(values)) == values
    assert split_values(NAMES, json.dumps(values, ensure_ascii=False, indent=2)) == values


def settings_from(*arguments: str, **environment: str) -> TableSettings:
    """The settings that a command gets which is called so."""
    got: list[TableSettings] = []

    @click.command("scan")
    @takes(TableSettings)
    def command(table: TableSettings) -> int:
        got.append(table)
        return 0

    ended = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return got[0]


def test_settings_say_which_of_them_were_typed_and_which_a_variable_gives() -> None:
    settings = settings_from("--table", "t", "--ssm-parameter", JANITOR_REGION="eu-west-1", JANITOR_TABLE="other")
    assert settings.table == "t"
    assert settings.origins == {"table": Origin.FLAG, "ssm_parameter": Origin.FLAG, "region": Origin.VARIABLE}
    assert settings.given_by_flag("region", "ssm_parameter", "table") == ["ssm_parameter", "table"]
    assert [name for name in settings_of(TableSettings) if settings.is_given(name)] == [
        "table",
        "ssm_parameter",
        "region",
    ]
    assert not dataclasses.replace(settings, origins={"table": Origin.FILE}).is_given("table")


def test_an_empty_variable_gives_nothing() -> None:
    assert settings_from(JANITOR_TABLE="", JANITOR_DEPLOYMENT="[]").origins == {}


def test_what_was_typed_counts_alone_where_anything_was() -> None:
    both = settings_from("--table", "t", JANITOR_DEPLOYMENT="prod")
    assert both.choose(["table", "deployment"]) == ["table"]
    variables = settings_from(JANITOR_TABLE="t", JANITOR_DEPLOYMENT="prod")
    assert variables.choose(["table", "deployment"]) == ["table", "deployment"]
    assert variables.spell(["table", "deployment"]) == "JANITOR_TABLE and JANITOR_DEPLOYMENT"
    assert both.spell(["table", "deployment"]) == "--table and --deployment"


def test_where_values_come_from_makes_no_difference_between_settings() -> None:
    typed, untold = settings_from("--table", "t"), TableSettings(table="t")
    assert typed == untold
    assert hash(typed) == hash(untold)
    assert repr(typed) == repr(untold)


def every_repeatable_option() -> list[tuple[str, click.Option]]:
    context = click.Context(app.cli)
    found = []
    for name in app.COMMANDS:
        command = app.cli.get_command(context, name)
        inner = (
            [(f"{name} {each}", command.get_command(context, each)) for each in command.list_commands(context)]
            if isinstance(command, click.Group)
            else [(name, command)]
        )
        for called, each in inner:
            assert each is not None
            found += [
                (called, option) for option in each.params if isinstance(option, click.Option) and option.multiple
            ]
    return found


@pytest.mark.parametrize(
    ("option", "values"),
    [
        pytest.param(option, values, id=f"{name} {option.name}")
        for name, option in every_repeatable_option()
        if (
            values := {
                "protect_user": ["John Doe", "svc *"],
                "user": ["John Doe", "ana"],
                "name": ["my token", "b"],
                "group": ["all users", "b"],
                "deployment": ["prod", "staging"],
                "expiring_within": ["30d", "7d"],
                "fingerprint": ["aabbcc", "ddeeff00"],
                "report": ["json=a b.json", "csv=c.csv"],
                "metrics": ["emf", "prometheus=a b.prom"],
                "notify": ["json://host/a b", "file:a b"],
                "fail_on": ["stale", "expired"],
                "state": ["stale", "expired"],
                "include": ["legacy", "legacy"],
            }[option.name or ""]
        )
    ],
)
def test_every_option_with_several_values_takes_them_from_its_variable(
    option: click.Option, values: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not option.envvar:
        return
    forms = [json.dumps(values), "\n".join(values)]
    if not any(" " in value for value in values):
        forms.append(" ".join(values))
    command = click.Command("c", params=[option])
    typed = command.make_context("c", [word for value in values for word in (option.opts[0], value)])
    for form in forms:
        monkeypatch.setenv(str(option.envvar), form)
        told = command.make_context("c", [])
        assert told.params == typed.params


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("JANITOR_PROTECT_USER", "['a', 'b']", "a JSON array of strings"),
        ("JANITOR_PROTECT_USER", '["a", ""]', "the name is empty"),
        ("JANITOR_EXPIRING_WITHIN", "[30d]", "a JSON array of strings"),
        ("JANITOR_REPORT", "json=a.json html=b.html", "one a line"),
        ("JANITOR_REPORT", "json=a.json,html=b.html", "one a line"),
        ("JANITOR_METRICS", "prometheus=a.prom emf", "one a line"),
        ("JANITOR_LAST_SEEN", "a b c", "neither a table's name"),
        ("JANITOR_LAST_SEEN", "false", "leave it out"),
    ],
)
def test_what_is_wrong_in_a_variable_is_said_with_its_name(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert app.main(["sweep", "--table", "t"]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert words in said.err


@pytest.mark.parametrize("option", ["--protect-user", "--report"])
def test_an_option_that_a_shell_left_empty_protects_nobody_and_is_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for empty in ("", " "):
        assert app.main(["sweep", "--table", "t", option, empty]) == 2
        assert option in capsys.readouterr().err
