"""Variables that begin with JANITOR_ and that nobody knows: an end before anything is read, with the nearest name."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from janitor.cli import app
from janitor.cli.variables import (
    _SPARING,
    _WIDENING,
    find_nearest_variable,
    list_known_variables,
    refuse_unknown_variables,
)
from janitor.errors import ConfigurationError

# What each command needs besides, to come so far as to look at its variables.
ARGUMENTS = {
    "apply": ["plan.ndjson"],
    "restore": ["archive.ndjson"],
    "plan": ["plan.ndjson"],
    "run": ["job.toml"],
    "serve": ["schedules"],
    "schema": ["report"],
}


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def every_command() -> list[list[str]]:
    context = click.Context(app.cli)
    found = []
    for name in app.COMMANDS:
        command = app.cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [[name, each] for each in command.list_commands(context)]
        else:
            found.append([name])
    return found


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_refuses_a_variable_that_no_command_knows(
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JANITOR_PROTECT_USERS", "a-secret")
    assert app.main([*command, *ARGUMENTS.get(command[0], [])]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        (
            "janitor: JANITOR_PROTECT_USERS is not a variable of janitor; did you mean JANITOR_PROTECT_USER? "
            "nothing was read: correct the name, or unset the variable"
        )
    ]
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_are_for_whoever_looks_for_the_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JANITOR_PROTECT_USERS", "x")
    for words in (["--help"], ["--version"], ["sweep", "--help"], ["token", "remove", "--help"]):
        assert app.main(words) == 0
    assert "JANITOR_PROTECT_USER]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # One for several, several for one, left out, put in, in another order.
        ("JANITOR_PROTECT_USERS", "did you mean JANITOR_PROTECT_USER?"),
        ("JANITOR_PROTECTED_USERS", "did you mean JANITOR_PROTECT_USER?"),
        ("JANITOR_MAX_DELETE", "did you mean JANITOR_MAX_DELETES?"),
        ("JANITOR_DRYRUN", "did you mean JANITOR_DRY_RUN?"),
        ("JANITOR__DRY_RUN", "did you mean JANITOR_DRY_RUN?"),
        ("JANITOR_TABLES", "did you mean JANITOR_TABLE?"),
        ("JANITOR_DEPLOYMENTS", "did you mean JANITOR_DEPLOYMENT?"),
        ("JANITOR_REQUIRE_NOTICES", "did you mean JANITOR_REQUIRE_NOTICE?"),
        # As a shell, an env file or Kubernetes lets them pass.
        ("janitor_dry_run", "did you mean JANITOR_DRY_RUN?"),
        ("Janitor_Protect_User", "did you mean JANITOR_PROTECT_USER?"),
        ("JANITOR-DRY-RUN", "did you mean JANITOR_DRY_RUN?"),
        ("janitor.dry.run", "did you mean JANITOR_DRY_RUN?"),
        ("JANITOR_DRY_RUN ", "did you mean JANITOR_DRY_RUN?"),
        ("\ufeffJANITOR_DRY_RUN", "did you mean JANITOR_DRY_RUN?"),
        # A schedule file's words, with their section and without.
        ("JANITOR_POLICY_GRACE", "did you mean JANITOR_GRACE?"),
        ("JANITOR_POLICY_PROTECT_USERS", "did you mean JANITOR_PROTECT_USER?"),
        ("JANITOR_DELETE_MAX_DELETES", "did you mean JANITOR_MAX_DELETES?"),
        ("JANITOR_NOTIFY_SNS_TOPIC_ARN", "did you mean JANITOR_SNS_TOPIC_ARN?"),
        ("JANITOR_THRESHOLDS", "did you mean JANITOR_EXPIRING_WITHIN?"),
        ("JANITOR_URL", "did you mean JANITOR_STATE_URL?"),
        (
            "JANITOR_DELETE_ENABLED",
            "[delete] enabled can only be set in a schedule file; JANITOR_DRY_RUN=1 forbids every delete",
        ),
        (
            "JANITOR_ENABLED",
            "[delete] enabled can only be set in a schedule file; JANITOR_DRY_RUN=1 forbids every delete",
        ),
        ("JANITOR_CRON", "[when] cron can only be set in a schedule file"),
        ("JANITOR_WHEN_TIMEZONE", "[when] timezone can only be set in a schedule file"),
        # Options that are typed, or not there.
        ("JANITOR_DELETE", "--delete can only be given as a flag; JANITOR_DRY_RUN=1 forbids every delete"),
        ("JANITOR_CHECK", "--check can only be given as a flag; JANITOR_DRY_RUN=1 forbids every delete"),
        ("JANITOR_REVIVE", "--revive can only be given as a flag"),
        ("JANITOR_NO_DELETE", "did you mean JANITOR_DRY_RUN? JANITOR_DRY_RUN=1 forbids every delete"),
        ("JANITOR_READ_ONLY", "did you mean JANITOR_DRY_RUN? JANITOR_DRY_RUN=1 forbids every delete"),
        ("JANITOR_REPORTONLY", "did you mean JANITOR_DRY_RUN? JANITOR_DRY_RUN=1 forbids every delete"),
        # Kubernetes' own name, and not its value.
        ("JANITOR_PORT", "did you mean JANITOR_"),
    ],
)
def test_the_nearest_name_is_said(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown_variables({name: "8080", "JANITOR_TABLE": "x"}, app.cli)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["JANITOR_", "JANITOR_E", "JANITOR_NOBODY", "JANITOR_KEEP_ALL_OF_IT"])
def test_no_name_that_is_like_none_is_led_to_a_yes(name: str) -> None:
    nearest = find_nearest_variable(name, list_known_variables(app.cli))
    assert nearest not in {"JANITOR_YES", "JANITOR_NO_ARCHIVE", "JANITOR_ALL"}


def test_all_of_them_are_said_and_no_value() -> None:
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown_variables({"JANITOR_SECRET_A": "s3cret", "JANITOR_GRACES": "s3cret"}, app.cli)
    assert "JANITOR_GRACES is not a variable" in str(caught.value)
    assert "JANITOR_SECRET_A is not a variable" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_said_on_one_line_whatever_it_holds() -> None:
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown_variables({"JANITOR_A\nB\u202e": ""}, app.cli)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"JANITOR_JOB": "nightly", "JANITOR_FOR": "sweep"},
        {
            "_JANITOR_COMPLETE": "bash_source",
            "MY_JANITOR_TABLE": "x",
            "JANITORS": "2",
            "TOKEN_JANITOR_TEST_CACHE": "/x",
        },
        # Kubernetes tells each container of every service so, and of one named janitor-state in the same way.
        {
            "JANITOR_SERVICE_HOST": "10.0.171.239",
            "JANITOR_SERVICE_PORT": "80",
            "JANITOR_SERVICE_PORT_HTTP": "80",
            "JANITOR_PORT": "tcp://10.0.171.239:80",
            "JANITOR_PORT_80_TCP": "tcp://10.0.171.239:80",
            "JANITOR_PORT_80_TCP_PROTO": "tcp",
            "JANITOR_PORT_80_TCP_PORT": "80",
            "JANITOR_PORT_80_TCP_ADDR": "10.0.171.239",
            "JANITOR_STATE_SERVICE_HOST": "fd00::1",
            "JANITOR_STATE_PORT": "udp://[fd00::1]:53",
            "JANITOR_STATE_PORT_53_UDP_ADDR": "fd00::1",
        },
    ],
)
def test_what_is_known_or_is_somebody_elses_passes(variables: dict[str, str]) -> None:
    refuse_unknown_variables(variables, app.cli)


def test_what_only_looks_like_kubernetes_does_not_pass() -> None:
    for name, value in {
        "JANITOR_PORT": "8080",
        "JANITOR_SERVICE_PORT": "http",
        "JANITOR_DRY_RUN_SERVICE_HOST": "true",
        "JANITOR_PORT_80_TCP": "1",
        "JANITOR_PROTECT_USER_PORT": "alice",
    }.items():
        with pytest.raises(ConfigurationError, match=name):
            refuse_unknown_variables({name: value}, app.cli)


def test_every_variable_of_every_command_is_known_and_its_own_nearest() -> None:
    known = list_known_variables(app.cli)
    assert {"JANITOR_TABLE", "JANITOR_LISTEN", "JANITOR_FOR", "JANITOR_DRY_RUN", "JANITOR_GROUP"} <= known
    assert not {"JANITOR_DELETE", "JANITOR_CHECK", "JANITOR_REVIVE"} & known
    refuse_unknown_variables(dict.fromkeys(known, "1"), app.cli)
    for name in known:
        assert find_nearest_variable(name.lower(), known) == name


def test_no_variable_of_this_process_is_one_of_janitors() -> None:
    refuse_unknown_variables(os.environ, app.cli)


CHANGING = [
    ["sweep"],
    ["apply"],
    ["run"],
    ["restore"],
    *(["token", each] for each in ("add", "extend", "import", "remove", "revoke", "rotate")),
]
# Of variables that some command reads and one that changes rows does not: each spares rows there, or does no harm.
HARMLESS = {
    "ALL", "ALLOW_WEAK", "ARCHIVE", "BY", "CLASSIC", "CONTACT", "CREATED_BY", "CREATE_STATE", "DASK", "DEADLINE",
    "DELETE_API", "DIGEST", "DIGEST_FORMAT", "EXPIRES_AT", "EXPIRES_IN", "EXPIRING_WITHIN", "FAIL_ON",
    "FINGERPRINT_KEY_FILE", "FOR", "FORMAT", "GROUP", "HEARTBEAT_URL", "IDLE_AFTER", "INCLUDE", "KEEP", "KEEP_IN",
    "LAST_SEEN", "LEASE_HOLDER", "LENGTH", "LISTEN", "MAX_ARCHIVES", "MAX_FINDINGS", "MAX_RCU", "MAX_RUNS", "MAX_WCU",
    "METRICS", "NAME", "NOTICE_TEXT", "NOTIFY", "NO_ARCHIVE", "OWNER_ADDRESS", "PARTIAL", "PERSONAL", "PER_TOKEN",
    "PLAN", "READ_PRICE", "REPLACE_EXPIRED", "REPORT", "SEGMENTS", "SNS_FORMAT", "SNS_TOPIC_ARN", "SORT", "STATE",
    "STATE_DIR", "STATE_URL", "SYSTEM", "TO", "TOKEN_STDIN", "WORKERS", "WRITE_PRICE", "YES",
}  # fmt: skip


def read_by(command: list[str]) -> set[str]:
    found: click.Command = app.cli
    for word in command:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        assert inner is not None
        found = inner
    return {name.removeprefix("JANITOR_") for name in list_known_variables(found)}


def test_each_variable_that_a_deleting_command_does_not_read_is_harmless_or_refused() -> None:
    known = {name.removeprefix("JANITOR_") for name in list_known_variables(app.cli)}
    unread = set().union(*(known - read_by(command) for command in CHANGING))
    assert unread - {*_SPARING, *_WIDENING} == HARMLESS
    assert not HARMLESS & {*_SPARING, *_WIDENING}


def ended(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = app.main([*command, *ARGUMENTS.get(command[0], [])])
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("apply", ["AS_OF", "SOURCE", "GRACE", "DIALECT", "USER", "FINGERPRINT"]),
        ("run", ["SOURCE", "USER", "FINGERPRINT"]),
        ("sweep", ["USER", "FINGERPRINT"]),
        ("restore", ["SOURCE"]),
        ("token remove", ["SOURCE"]),
        ("token revoke", ["SOURCE"]),
        ("token extend", ["SOURCE"]),
        ("token add", ["SOURCE"]),
    ],
)
def test_a_variable_that_would_spare_rows_elsewhere_is_refused_where_it_is_not_read(
    command: str,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in sorted(_SPARING):
        with monkeypatch.context() as variables:
            variables.setenv(f"JANITOR_{name}", "1")
            code, said = ended(command.split(), capsys)
        is_refused = f"JANITOR_{name} would spare " in said
        assert is_refused == (name in names), (name, said)
        if is_refused:
            assert code == 2
            assert len(said.splitlines()) == 1
            assert f"`janitor {command}` does not read it" in said
            assert f"env -u JANITOR_{name}" in said
    monkeypatch.setenv(f"JANITOR_{names[0]}", "")
    assert "does not read it" not in ended(command.split(), capsys)[1]


@pytest.mark.parametrize("name", _WIDENING)
def test_a_variable_that_lets_more_rows_go_is_refused_by_apply_as_having_no_effect(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"JANITOR_{name}", "api" if name == "GATES" else "1h")
    code, said = ended(["apply"], capsys)
    assert code == 2
    assert f"JANITOR_{name} has no effect on `janitor apply`, which goes by its plan" in said
    assert "spare" not in said


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
@pytest.mark.parametrize("name", ["JANITOR_DRY_RUN", "JANITOR_PROTECT_USER"])
def test_a_blank_variable_is_refused_by_every_command_and_an_empty_one_is_not_set(
    command: list[str],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for blank in (" ", "\t", " \r\n"):
        monkeypatch.setenv(name, blank)
        code, said = ended(command, capsys)
        assert (code, said.count(name)) == (2, 1), said
        assert "has only spaces" in said


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
@pytest.mark.parametrize("said", ["banana", "yes please", "2", "-"])
def test_what_is_neither_yes_nor_no_is_refused_by_every_command(
    command: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JANITOR_DRY_RUN", said)
    code, told = ended(command, capsys)
    assert (code, "JANITOR_DRY_RUN" in told, repr(said) in told) == (2, True, True), told
