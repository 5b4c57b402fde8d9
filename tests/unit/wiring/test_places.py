"""Where files go by default, and what is said where there is no such place."""

import errno
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from janitor.errors import ConfigurationError
from janitor.wiring.places import find_plan_folder, find_state_directory, why_lost, why_not_writable, why_write_fails


def _nobody_has_the_id(number: int) -> pwd.struct_passwd:
    raise KeyError(f"getpwuid(): uid not found: {number}")


@pytest.mark.parametrize("home", [None, "", "not/absolute"])
def test_a_user_without_a_name_or_a_home_is_told_what_to_give(
    home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    assert find_state_directory("--archive") == Path(pwd.getpwuid(os.getuid()).pw_dir) / ".local/state/janitor"
    monkeypatch.setattr(pwd, "getpwuid", _nobody_has_the_id)
    with pytest.raises(ConfigurationError, match="HOME is not set, and no user has the id") as caught:
        find_state_directory("--archive")
    assert str(caught.value).endswith("; set XDG_STATE_HOME to a folder that can be written, or give --archive")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert find_state_directory("--archive") == Path("/somewhere/janitor")


OF_A_POD = "KUBERNETES_SERVICE_HOST"
ELSEWHERE = Path("/proc")  # not the disk that the tests write to, and without a mark of a container


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable says that the disk passes, nor where state is to go."""
    for name in (OF_A_POD, "ECS_CONTAINER_METADATA_URI_V4", "AWS_LAMBDA_FUNCTION_NAME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("lasting")
def test_a_pod_keeps_a_plan_only_in_a_folder_that_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    kept = tmp_path / "janitor" / "plans"
    assert find_plan_folder(tmp_path) == find_plan_folder(ELSEWHERE) == kept
    monkeypatch.setenv(OF_A_POD, "10.0.0.1")
    assert (find_plan_folder(tmp_path), find_plan_folder(ELSEWHERE)) == (None, kept)


@pytest.mark.usefixtures("lasting")
@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_keeps_no_plan_unless_it_is_told_where(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_plan_folder(tmp_path) == tmp_path / ".local/state/janitor/plans"
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).touch()
    assert find_plan_folder(tmp_path) is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert find_plan_folder(tmp_path) == tmp_path / "state/janitor/plans"


@pytest.mark.usefixtures("lasting")
def test_what_a_lambda_function_writes_to_its_own_folder_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path("/tmp/archive")  # noqa: S108  # never written
    assert why_lost(own, "--archive") is None
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "janitor")
    assert why_lost(own, "--archive") == (
        f"{own} is lost with the Lambda function",
        "give --archive a place in S3",
    )
    assert why_lost(own.parent, "--archive") is not None
    # A file system that is mounted lasts; and no other folder can be written, which is said elsewhere.
    assert why_lost(Path("/mnt/efs/archive"), "--archive") is None
    assert why_lost(own.parent.with_name("tmpfs"), "--archive") is None


def test_a_place_that_cannot_be_written_has_its_cause_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    not_a_folder = (f"{file}/new/archive cannot be written: {file} is not a folder", "give --archive another path")
    assert why_not_writable(file / "new" / "archive", "give --archive another path") == not_a_folder
    for find in (why_not_writable, why_write_fails):
        assert find(tmp_path / "new" / "archive") is None
        assert find(tmp_path) is None
    # Nobody is denied anything who is root, as in a container.
    monkeypatch.setattr(os, "access", lambda *_: False)
    denied = why_not_writable(tmp_path / "new" / "archive")
    assert denied is not None
    assert denied[0].endswith(f" has no permission to write {tmp_path}")
    assert denied[1] == "grant it, or give another path"

    def fail(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    full = why_write_fails(tmp_path / "archive")
    assert full == (
        f"{tmp_path}/archive cannot be written: No space left on device",
        "free some space, or give another path",
    )
