import email
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from hatch_build import make_description
from janitor import __version__
from tests.forked import ROOT

PACKAGE = ROOT / "janitor"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` builds."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "SOURCE_DATE_EPOCH": "1780000000"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder


def wheel_of(dist: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(dist / f"token_janitor-{__version__}-py3-none-any.whl")


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(dist: Path) -> None:
    ours = {
        str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    with wheel_of(dist) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == ours
    assert {Path(name).suffix for name in held} >= {".py", ".css", ".typed"}
    assert any("/templates/" in name for name in held)


def test_the_wheel_says_what_pyproject_says(dist: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with wheel_of(dist) as wheel:
        names = wheel.namelist()
        metadata = email.message_from_bytes(wheel.read(f"token_janitor-{__version__}.dist-info/METADATA"))
        commands = wheel.read(f"token_janitor-{__version__}.dist-info/entry_points.txt").decode()
    assert (metadata["Name"], metadata["Version"]) == ("token-janitor", __version__)
    assert metadata["Requires-Python"] == project["requires-python"]
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert set(metadata.get_all("Provides-Extra") or ()) == set(project["optional-dependencies"])
    description = metadata.get_payload()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert description == make_description((ROOT / "README.md").read_text(encoding="utf-8"), __version__, None)
    assert "janitor = janitor.cli.app:entry_point" in commands
    assert any(name.endswith("licenses/LICENSE") for name in names)


README = """\
[LISA](https://github.com/awslabs/LISA) keeps them, see [below](#below).

![A report: numbers](docs/pictures/report.svg)

| [docs/a.md](docs/a.md), [the other](docs/b.md) |
"""


@pytest.mark.parametrize(
    ("repository", "links"),
    [
        (None, ["> A report: numbers", "| docs/a.md, the other (docs/b.md) |"]),
        (
            "https://h/o",
            [
                "![A report: numbers](https://h/o/raw/v1.2.3/docs/pictures/report.svg)",
                "| [docs/a.md](https://h/o/blob/v1.2.3/docs/a.md), [the other](https://h/o/blob/v1.2.3/docs/b.md) |",
            ],
        ),
    ],
)
def test_no_link_of_the_long_description_is_relative(repository: str | None, links: list[str]) -> None:
    first, _, picture, _, table = make_description(README, "1.2.3", repository).splitlines()
    assert first == README.splitlines()[0]
    assert [picture, table] == links
    readme = make_description((ROOT / "README.md").read_text(encoding="utf-8"), "1.2.3", repository)
    assert not re.findall(r"\]\((?!https?://|#)", readme)


def test_the_source_distribution_holds_all_that_builds_and_tests_it(dist: Path) -> None:
    with tarfile.open(dist / f"token_janitor-{__version__}.tar.gz") as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "hatch_build.py", "README.md", "CHANGELOG.md", "LICENSE", "janitor/__init__.py"} <= held
    assert {"schedules/nightly-report.toml", "docs/tutorial.md", "deploy/README.md", "requirements/dev.txt"} <= held
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    assert tests <= held
    assert not any(name.startswith((".venv", "build", "dist")) or "__pycache__" in name for name in held)
