"""The units of deploy/systemd: systemd accepts them, they are confined, and the program reads their command lines."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.settings.schedule import load_schedule
from tests.deploy.command_line import command_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "systemd"
SERVICES = ("janitor.service", "janitor-serve.service")
UNITS = (*SERVICES, "janitor.timer")
PROGRAM = "/opt/janitor/bin/janitor"
MOST_EXPOSURE = 1.5  # of 10, as `systemd-analyze security` counts

ANALYZE = shutil.which("systemd-analyze")
WITH_SYSTEMD = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")

CONFINED = {
    "DynamicUser": "yes",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "StateDirectory": "janitor",
    "StateDirectoryMode": "0700",
    "MemoryDenyWriteExecute": "yes",
    "UMask": "0077",
}


def test_both_services_are_confined_alike_and_share_their_state() -> None:
    one_shot, daemon = (dict(_settings(name)) for name in SERVICES)
    assert CONFINED.items() <= one_shot.items()
    of_their_own = {name for name in one_shot.keys() | daemon.keys() if one_shot.get(name, "") != daemon.get(name, "")}
    assert of_their_own == {
        *("Type", "ExecStart", "ExecReload", "Description", "Documentation", "WantedBy"),
        *("TimeoutStartSec", "TimeoutStopSec", "SuccessExitStatus", "Restart", "RestartSec", "KillMode"),
    }
    # Who shares a state directory is to be one user.
    assert one_shot["User"] == "janitor"
    assert one_shot["Environment"] == "XDG_STATE_HOME=/var/lib"
    assert one_shot["WorkingDirectory"] == "/var/lib/janitor"


def test_the_program_reads_their_command_lines() -> None:
    program, *one_run = shlex.split(dict(_settings("janitor.service"))["ExecStart"])
    assert (program, command_of(one_run)) == (PROGRAM, "run")
    schedule = load_schedule(ROOT / "schedules" / Path(one_run[1]).name)
    assert not schedule.deletes
    program, *daemon = shlex.split(dict(_settings("janitor-serve.service"))["ExecStart"])
    assert (program, command_of(daemon)) == (PROGRAM, "serve")
    assert Path(one_run[1]).parent == Path(daemon[1])


def test_a_missed_night_is_made_up_for_and_not_by_all_at_once() -> None:
    timer = dict(_settings("janitor.timer"))
    assert (timer["Persistent"], timer["WantedBy"]) == ("true", "timers.target")
    assert timer["RandomizedDelaySec"] == "10min"
    assert timer["OnCalendar"].endswith(" UTC")  # else the machine's own clock, and an hour twice a year


def test_the_daemon_gets_its_ten_seconds_and_the_first_word() -> None:
    daemon = dict(_settings("janitor-serve.service"))
    assert daemon["KillMode"] == "mixed"
    seconds = re.fullmatch(r"(\d+)s", daemon["TimeoutStopSec"])
    assert seconds is not None
    assert int(seconds[1]) > 10


@WITH_SYSTEMD
def test_systemd_accepts_them(tmp_path: Path) -> None:
    for name in UNITS:
        # It wants the program to be there.
        (tmp_path / name).write_text((FOLDER / name).read_text().replace(PROGRAM, sys.executable))
    run = _analyze("verify", *(str(tmp_path / name) for name in UNITS))
    ours = [line for line in run.stderr.splitlines() if str(tmp_path) in line or line.startswith("janitor")]
    assert (run.returncode, ours) == (0, [])


@WITH_SYSTEMD
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_little_exposed(name: str) -> None:
    # Exits 1 above the threshold, which is ten times the figure that it prints.
    threshold = f"--threshold={MOST_EXPOSURE * 10:.0f}"
    run = _analyze("security", "--no-pager", "--offline=true", threshold, str(FOLDER / name))
    if "unrecognized option" in run.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (systemd 250 and later can)")
    assert run.returncode == 0, run.stdout


def _settings(unit: str) -> Iterator[tuple[str, str]]:
    """Yield the unit's settings in order, comments and sections left out; a name that comes twice, twice."""
    for line in (FOLDER / unit).read_text().splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            yield name, value


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)
