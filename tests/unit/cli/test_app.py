import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from janitor import __version__
from janitor.cli import app
from janitor.serve import daemon
from janitor.settings.parsers import parse_report, parse_segments


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--version"]) == 0
    assert capsys.readouterr().out == f"janitor {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["scan", "--nonsense"], ["scan"], ["schema"]])
def test_wrong_usage_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(arguments) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("swep", "there is no command swep; did you mean sweep?"),
        ("nonsense", "there is no command nonsense; see `janitor --help`"),
        ("scan --formt json", "there is no option --formt; did you mean --format?"),
        ("scan -t x", "there is no option -t; see `janitor scan --help`"),
        (
            "apply p --delete",
            "`janitor apply` has no option --delete (`janitor sweep` has it); see `janitor apply --help`",
        ),
        ("apply p --plan x", "`janitor apply` has no option --plan (`janitor sweep`, `janitor run` have it); see "),
        ("apply", "PLAN is missing; see `janitor apply --help`"),
        ("schema", "NAME is missing; see `janitor schema --help`"),
        (
            "schema reports",
            "plan-details, archive-list, token, token-change, token-import; did you mean report?",
        ),
        ("scan --table", "--table needs a value"),
        ("scan --deployment=", "--deployment: the name is empty"),
        ("sweep --delete=yes", "--delete takes no value"),
        ("scan --table x y z", "there is an argument too many: y z; see `janitor scan --help`"),
        ("scan --fail-on stael", "legacy; did you mean stale?"),
        (
            "scan --format yaml",
            "--format: 'yaml' is not one of table, json, ndjson, csv, markdown, html, ics, xlsx, none",
        ),
        (
            "scan --expiring-within 30",
            "--expiring-within: '30' is not a duration; write 90s, 15m, 12h, 30d, 2w, or ISO",
        ),
        ("doctor --for swep", "--for: 'swep' is not one of scan, sweep, apply, restore, token; did you mean sweep?"),
        ("token lst", "there is no such command (it is not repeated: it may be a token); did you mean list?"),
        (
            "token add --groups s3cr3t",
            "there is no such option (it is not repeated: it may be a token); did you mean --group",
        ),
        ("token show aaaaaa s3cr3t", "there is an argument too many (it is not repeated: it may be a token); see "),
    ],
)
def test_wrong_usage_says_what_is_wrong_then_what_to_write(
    line: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(line.split()) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert (said.startswith("janitor: "), said.count("\n"), "s3cr3t" in said) == (True, 1, False)


def test_a_switch_of_the_environment_is_a_yes_or_a_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JANITOR_DRY_RUN", "maybe")
    assert app.main(["sweep", "--table", "t", "--delete"]) == 2
    assert capsys.readouterr().err == "janitor: JANITOR_DRY_RUN: 'maybe' is neither yes nor no; write 1 or 0\n"


def test_an_error_shows_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["run", "a\u202etac\x1b[2J.toml"]) == 2
    said = capsys.readouterr().err
    assert r"a\u202etac\x1b[2J.toml" in said
    assert said.replace("\n", "").isprintable()


def test_a_bug_shows_where_but_neither_its_message_nor_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(argv: list[str] | None) -> int:
        raise LookupError(f"the row of a-secret-token {argv}")

    monkeypatch.setattr(app, "_run", broken)
    assert app.main(["scan"]) == 1
    said = capsys.readouterr().err
    assert "LookupError" in said
    assert "a-secret-token" not in said
    assert len(said.splitlines()) == 1


def test_a_bug_in_a_thread_shows_no_message_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise LookupError("the row of a-secret-token")

    monkeypatch.setattr(threading, "excepthook", app.print_thread_bug)
    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    assert "LookupError" in said
    assert "a-secret-token" not in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "json",
        "json=",
        "xml=x",
        "=x",
        "json=s3://bucket/",
        "json=http://x/y",
        "json=s3://b/{day}",
        "json=s3://b/{",
        "json=-",
    ],
)
def test_a_report_that_is_no_format_and_path_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"FORMAT=PATH|standard output|is not a format|neither a path|is not s3:|placeholder",
    ):
        parse_report(text)


def test_segments_are_auto_or_a_number_within_bounds() -> None:
    assert (parse_segments("auto"), parse_segments("1000000")) == (None, 1_000_000)
    for text in ("0", "1000001", "-1", "many"):
        with pytest.raises(ValueError, match="neither"):
            parse_segments(text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_a_run_ends_in_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    def signalled(argv: list[str] | None) -> int:
        signal.raise_signal(number)
        return len(argv or ())

    monkeypatch.setattr(app, "_run", signalled)
    assert app.main([]) == 128 + number
    assert capsys.readouterr().err == "janitor: terminated\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scan", "--report", "csv={table}.csv"], "--report csv={table}.csv: one report covers all tables"),
        (["scan", "--report", "csv=a.csv", "--report", "json=a.csv"], "are one file"),
        (["scan", "--deployment", "a"], "the deployment a is named twice"),
        (["scan", "--table", "c", "--region", ""], "--table and --deployment both name the table"),
        (["sweep", "--plan", "plan.ndjson"], "--plan plan.ndjson: several tables would share it"),
        (["sweep", "--archive", "a.ndjson"], "give a folder, with a slash at its end, or s3://bucket/prefix/"),
        (["sweep", "--per-token"], "--per-token needs a topic"),
        (["token", "list"], "this command works on one table: a, b; name one of them"),
        (["token", "revoke", "3f0c9a1b"], "this command works on one table: a, b; name one of them"),
        (["doctor"], "the doctor checks one table: a, b; check each by itself"),
    ],
)
def test_what_several_tables_cannot_have_is_one_line_and_exit_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main([*arguments, "--deployment", "a", "--deployment", "b"]) == 2
    said = capsys.readouterr()
    assert (said.out, says in said.err) == ("", True), said.err


def test_an_error_names_the_option_or_the_variable_that_gave_the_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["scan", "--table", "t", "--grace", "soon"]) == 2
    assert "janitor: --grace: " in (typed := capsys.readouterr().err)
    assert "JANITOR_GRACE" not in typed
    monkeypatch.setenv("JANITOR_GRACE", "soon")
    monkeypatch.setenv("JANITOR_PROTECT_USER", '["bob"')
    assert app.main(["scan", "--table", "t", "--protect-user", "ann"]) == 2
    assert "janitor: JANITOR_GRACE: " in capsys.readouterr().err
    monkeypatch.delenv("JANITOR_GRACE")
    assert app.main(["scan", "--table", "t"]) == 2
    assert "janitor: JANITOR_PROTECT_USER: " in capsys.readouterr().err


def leaves(group: click.Group, name: str = "janitor") -> Iterator[tuple[str, click.Command]]:
    for each in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), each)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{name} {each}")
        else:
            yield f"{name} {each}", command


def test_every_command_takes_dry_run_and_hears_its_variable() -> None:
    commands = dict(leaves(app.cli))
    assert len(commands) > 15
    for name, command in commands.items():
        variables = [param.envvar for param in command.params if "--dry-run" in param.opts]
        assert variables == ["JANITOR_DRY_RUN"], name


@pytest.mark.parametrize("is_variable", [False, True])
def test_a_daemon_that_is_told_so_makes_every_run_a_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_variable: bool
) -> None:
    served: list[daemon.DaemonSettings] = []
    monkeypatch.setattr(daemon, "serve", lambda settings, _: served.append(settings))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert app.main(["serve", str(tmp_path)]) == 0
    if is_variable:
        monkeypatch.setenv("JANITOR_DRY_RUN", "yes")
    assert app.main(["serve", str(tmp_path), *([] if is_variable else ["--dry-run"])]) == 0
    assert ["--dry-run" in settings.options for settings in served] == [False, True]
    assert [settings.environment.get("JANITOR_DRY_RUN") for settings in served] == [None, "1"]
