"""Several values in one variable: a JSON array, or one a line, and with spaces between where no value can hold one."""

import json

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli import app
from janitor.settings import Setting, values_in

NAMES = Setting(help="", many=True, may_hold_spaces=True)
DURATIONS = Setting(help="", many=True)


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
    assert values_in(NAMES, text) == values


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
    assert values_in(DURATIONS, text) == values


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
        values_in(setting, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('["bob"', "begins as a JSON array and is broken off at its end"),
        ('["bob', "begins as a JSON array and breaks at character 2"),
        ('["a" "b"]', "begins as a JSON array and breaks at character 6"),
        ("['a', 'b']", "begins as a JSON array and breaks at character 2"),
        ('["a", "b"] c', "begins as a JSON array and breaks at character 12"),
        ("[1, 2]", "is a JSON array, but not one of texts"),
    ],
)
def test_it_is_said_where_an_array_breaks_and_never_what_is_in_it(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="JSON array") as raised:
        values_in(NAMES, text)
    assert says in str(raised.value)
    assert "bob" not in str(raised.value)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_any_values_can_be_said_as_an_array(values: list[str]) -> None:
    assert values_in(NAMES, json.dumps(values)) == values
    assert values_in(NAMES, json.dumps(values, ensure_ascii=False, indent=2)) == values


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
        ("JANITOR_PROTECT_USER", "['a', 'b']", "a JSON array of texts"),
        ("JANITOR_PROTECT_USER", '["a", ""]', "nobody's name"),
        ("JANITOR_EXPIRING_WITHIN", "[30d]", "a JSON array of texts"),
        ("JANITOR_REPORT", "json=a.json html=b.html", "one a line"),
        ("JANITOR_REPORT", "json=a.json,html=b.html", "one a line"),
        ("JANITOR_METRICS", "prometheus=a.prom emf", "one a line"),
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
