"""Where files go by default, and what is said where there is no such place."""

import os
import pwd
from pathlib import Path

import pytest

from janitor.cli.places import state_directory
from janitor.errors import ConfigurationError


def _nobody_has_the_id(number: int) -> pwd.struct_passwd:
    raise KeyError(f"getpwuid(): uid not found: {number}")


@pytest.mark.parametrize("home", [None, "", "not/absolute"])
def test_a_user_without_a_name_or_a_home_is_told_what_to_give(
    home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    assert state_directory() == Path(pwd.getpwuid(os.getuid()).pw_dir) / ".local/state/janitor"
    monkeypatch.setattr(pwd, "getpwuid", _nobody_has_the_id)
    with pytest.raises(ConfigurationError, match="HOME is not set, and nobody has the user id") as caught:
        state_directory()
    assert "XDG_STATE_HOME" in str(caught.value)
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_directory() == Path("/somewhere/janitor")
