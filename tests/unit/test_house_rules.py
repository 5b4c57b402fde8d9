"""Every rule of the house by a good and a bad example, and the tripwires that stand around the tests."""

import os
import socket
from pathlib import Path

import pytest

from tests.house_rules import (
    HelpError,
    prints,
    stale_help,
    unfinished,
    vague_names,
    violations,
    with_fresh_help,
)

MARK = "TO" + "DO"
README = """# janitor
<!-- help: scan -->
```text
help of scan
```
<!-- /help -->
Between.
<!-- help: -->
```text
help of
```
<!-- /help -->
"""


def help_of(command: str) -> str:
    return f"help of {command}\n"


@pytest.mark.parametrize("source", ["console.print('x')\n", "'print('\n", "# print('x')\n", "fingerprint('x')\n"])
def test_what_only_looks_like_a_print_is_fine(source: str) -> None:
    assert prints(source, "a.py") == []


def test_a_print_is_found() -> None:
    assert prints("\nprint('x')\n", "a.py") == ["a.py:2: print( outside cli"]


@pytest.mark.parametrize("text", ["todo list", f"{MARK}S", "mktemp -t XX" + "XXXX", "done"])
def test_what_only_looks_like_unfinished_work_is_fine(text: str) -> None:
    assert unfinished(text, "a.py") == []


@pytest.mark.parametrize("mark", [MARK, "FIX" + "ME", "XX" + "X"])
def test_a_mark_of_unfinished_work_is_found(mark: str) -> None:
    assert unfinished(f"work\n# {mark}: more\n", "a.toml") == [f"a.toml:2: {mark} left in"]


def test_names_that_say_something_are_fine(tmp_path: Path) -> None:
    (tmp_path / "fingerprint.py").touch()
    (tmp_path / "common.toml").touch()
    assert vague_names(tmp_path) == []


def test_vague_modules_and_packages_are_found(tmp_path: Path) -> None:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "utils.py").touch()
    assert [line.partition(":")[0] for line in vague_names(tmp_path)] == [
        f"{tmp_path.name}/helpers",
        f"{tmp_path.name}/helpers/utils.py",
    ]


def test_help_that_is_what_the_command_says_is_fine() -> None:
    assert stale_help(README, help_of) == []


def test_help_that_has_changed_is_found_where_it_stands() -> None:
    [line] = stale_help(README, lambda command: help_of(command) if command else "other\n")
    assert line.startswith("README.md:8: not the help of `janitor --help`")


def test_a_command_that_does_not_say_its_help_is_found() -> None:
    def broken(command: str) -> str:
        raise HelpError(f"`janitor {command}` is broken")

    assert stale_help(README, broken)[0] == "README.md:2: `janitor scan` is broken"


def test_a_help_block_without_an_end_is_found() -> None:
    [line] = stale_help("<!-- help: scan -->\nnothing", help_of)
    assert line.startswith("README.md: 1 help blocks are not")


def test_a_readme_without_help_blocks_is_fine() -> None:
    assert stale_help("# janitor\n", help_of) == []


def test_writing_the_readme_renews_the_blocks_and_nothing_else() -> None:
    stale = README.replace("help of scan", "old\n\ntext").replace("```text\nhelp of\n```\n", "")
    assert with_fresh_help(stale, help_of) == README


def test_writing_the_readme_twice_changes_nothing() -> None:
    assert with_fresh_help(README, help_of) == README


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("janitor/cli", "janitor/tokens", "tests", "schedules"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def test_a_tidy_project_has_no_violations(project: Path) -> None:
    (project / "janitor" / "cli" / "scan.py").write_text("print('the only place for it')\n")
    (project / "tests" / "test_scan.py").write_text("print('or here')\n")
    assert list(violations(project, help_of)) == []


def test_each_rule_looks_where_it_should(project: Path) -> None:
    (project / "janitor" / "tokens" / "row.py").write_text("print('x')\n")
    (project / "tests" / "utils.py").touch()
    (project / "schedules" / "nightly.toml").write_text(f"# {MARK}\n")
    (project / "README.md").write_text("<!-- help: scan -->\n<!-- /help -->\n")
    assert [line.partition(":")[0] for line in violations(project, help_of)] == [
        "janitor/tokens/row.py",
        "schedules/nightly.toml",
        "tests/utils.py",
        "README.md",
    ]


def test_no_setting_of_this_machine_reaches_a_test() -> None:
    assert not [name for name in os.environ if name.startswith("JANITOR_")]
    assert os.environ["AWS_ACCESS_KEY_ID"] == "test"
    assert not Path(os.environ["AWS_CONFIG_FILE"]).exists()
    assert list(Path.home().iterdir()) == []


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("10.0.0.1", 80)])
def test_a_connection_to_another_machine_fails_the_test(address: tuple[str, int]) -> None:
    with socket.socket() as connection:
        with pytest.raises(pytest.fail.Exception, match="wanted to connect"):
            connection.connect(address)
        with pytest.raises(pytest.fail.Exception, match="wanted to connect"):
            connection.connect_ex(address)


def test_a_look_up_of_another_machine_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"wanted to look up sts\.example\.com"):
        socket.create_connection(("sts.example.com", 443))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_connection_to_this_machine_is_fine(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection((host, server.getsockname()[1])):
        pass
