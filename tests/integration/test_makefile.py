"""The Makefile's environments, made in a copy of what they need, without any network."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pip
import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {path.name for path in (ROOT / "requirements").iterdir()}
LOCK = "requirements/demo.txt"
READY = ".venv-demo/.ready"
PROGRESS = "installing requirements/demo.txt into .venv-demo, once …\n"
FAKE_JANITOR = "import sys; print('this is', *sys.argv[1:])"
# Copying pip into each environment would take most of a test's time; it is found on PYTHONPATH.
PYTHON_WITHOUT_ENSUREPIP = f"""#!/bin/sh
[ "$1 $2" = "-m venv" ] && shift 2 && set -- -m venv --without-pip "$@"
exec {shlex.quote(sys.executable)} "$@"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what `make` needs of a clone, and a program that only says how it was called."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("janitor", "tests"):
        (folder / name).mkdir()
    (folder / "janitor" / "__main__.py").write_text(FAKE_JANITOR)
    return folder


def make(clone: Path, target: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `make TARGET` there, with a pip that finds no package anywhere."""
    python, modules = clone.with_name("python"), clone.with_name("modules")
    if not modules.exists():
        python.write_text(PYTHON_WITHOUT_ENSUREPIP)
        python.chmod(0o700)
        modules.mkdir()
        (modules / "pip").symlink_to(Path(pip.__file__).parent)
    environment = {
        "PATH": os.environ["PATH"],
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": str(modules),
    }
    command = ["make", *options, f"PYTHON={python}", target]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("target", "lock"), [("run", "demo.txt"), ("test", "dev.txt"), ("lint", "dev.txt")])
def test_a_target_installs_what_it_needs_and_no_more(clone: Path, target: str, lock: str) -> None:
    recipe = make(clone, target, "--dry-run").stdout
    assert {name for name in LOCKS if f"-r requirements/{name}" in recipe} == {lock}


def test_what_pip_says_is_shown_when_it_fails_and_the_next_make_begins_anew(clone: Path) -> None:
    leftover = clone / ".venv-demo" / "half"
    leftover.mkdir(parents=True)
    for _ in range(2):
        failed = make(clone, "run")
        assert failed.returncode != 0
        assert failed.stdout == PROGRESS
        assert "ERROR: No matching distribution found for " in failed.stderr
        assert "pip could not install into .venv-demo" in failed.stderr
        assert not (clone / READY).exists()
        assert not leftover.exists()


def test_an_installation_says_one_line_and_is_done_once(clone: Path) -> None:
    (clone / LOCK).write_text("")
    installed, again = make(clone, "run"), make(clone, "run")
    assert (installed.returncode, installed.stdout, installed.stderr) == (0, f"{PROGRESS}this is demo\n", "")
    assert (again.returncode, again.stdout, again.stderr) == (0, "this is demo\n", "")


def test_an_environment_whose_renewal_failed_is_not_ready(clone: Path) -> None:
    (clone / READY).parent.mkdir()
    (clone / READY).touch()
    os.utime(clone / READY, (0, 0))
    assert make(clone, "run").returncode != 0
    assert not (clone / READY).exists()


def test_clean_removes_both_environments(clone: Path) -> None:
    kept = set(clone.iterdir())
    for name in (".venv", ".venv-demo"):
        (clone / name / "bin").mkdir(parents=True)
    assert make(clone, "clean").returncode == 0
    assert set(clone.iterdir()) == kept
