"""Every rule of the house by a good and a bad example, and the tripwires that stand around the tests."""

import os
import socket
from pathlib import Path

import pytest

from tests.house_rules import prints, unfinished, vague_names, violations
from tests.reference.pages import find_stale_pages, write_pages

MARK = "TO" + "DO"
PAGES = {"commands.md": "# Commands\n", "options.md": "# Options\n"}


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


def test_pages_that_are_what_the_code_says_are_fine(tmp_path: Path) -> None:
    write_pages(tmp_path, PAGES)
    assert find_stale_pages(tmp_path, PAGES) == []


def test_a_page_that_has_changed_or_is_missing_is_found(tmp_path: Path) -> None:
    write_pages(tmp_path, {"commands.md": "# Commands, edited\n"})
    assert [line.partition(":")[0] for line in find_stale_pages(tmp_path, PAGES)] == [
        "docs/reference/commands.md",
        "docs/reference/options.md",
    ]


def test_writing_the_pages_leaves_others_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "credentials.md").write_text("by hand\n")
    write_pages(tmp_path, PAGES)
    assert (tmp_path / "credentials.md").read_text() == "by hand\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("janitor/cli", "janitor/tokens", "tests", "schedules"):
        (tmp_path / folder).mkdir(parents=True)
    write_pages(tmp_path / "docs" / "reference", PAGES)
    return tmp_path


def test_a_tidy_project_has_no_violations(project: Path) -> None:
    (project / "janitor" / "cli" / "scan.py").write_text("print('the only place for it')\n")
    (project / "tests" / "test_scan.py").write_text("print('or here')\n")
    assert list(violations(project, PAGES)) == []


def test_each_rule_looks_where_it_should(project: Path) -> None:
    (project / "janitor" / "tokens" / "row.py").write_text("print('x')\n")
    (project / "tests" / "utils.py").touch()
    (project / "schedules" / "nightly.toml").write_text(f"# {MARK}\n")
    (project / "docs" / "reference" / "options.md").unlink()
    assert [line.partition(":")[0] for line in violations(project, PAGES)] == [
        "janitor/tokens/row.py",
        "schedules/nightly.toml",
        "tests/utils.py",
        "docs/reference/options.md",
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
