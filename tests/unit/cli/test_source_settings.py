"""What `--source` cannot answer is refused before anything is read, with the way out."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from janitor.cli import app
from tests.exports import export_files, written
from tests.tables import modern


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGHUP, before[1])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest of an export, where nothing of AWS is set."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    return written(export_files([modern("a", 1)]), tmp_path) / "manifest-summary.json"


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("scan", (), "give --dialect hashed (LISA 6.1 and later) or --dialect classic"),
        (
            "scan",
            ("--dialect", "hashed", "--deployment", "prod"),
            "name the table that the rows are of with --table NAME",
        ),
        (
            "scan",
            ("--dialect", "hashed", "--table", "other"),
            "holds rows of the table tokens, and --table names other",
        ),
        ("scan", ("--dialect", "hashed", "--sns-topic-arn", "arn:aws:sns:us-east-1:123456789012:t"), "would be wrong"),
        ("scan", ("--dialect", "hashed", "--report", "json={place}"), "are one file"),
        ("scan", ("--dialect", "hashed", "--report", "json=s3://reports/a"), "no region is set"),
        ("sweep", ("--dialect", "hashed", "--delete"), "then: janitor apply PATH"),
        (
            "sweep",
            ("--dialect", "hashed", "--require-notice", "--state-url", "sqlite:///s"),
            "give it to janitor apply",
        ),
        ("sweep", ("--dialect", "hashed", "--plan", "{place}"), "are one file"),
    ],
)
def test_what_a_picture_cannot_answer_is_refused(
    place: Path, capfd: pytest.CaptureFixture[str], *, command: str, options: Sequence[str], words: str
) -> None:
    given = [option.format(place=place) for option in options]
    assert app.main([command, "--source", str(place), *given]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("janitor: ")
    assert words in said.err


def test_deployments_of_the_environment_are_passed_over_and_a_time_ahead_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JANITOR_DEPLOYMENT", "prod staging")
    folder = written(export_files([modern("a", 1)], exportTime="2999-01-01T00:00:00Z", tableArn=""), tmp_path / "e")
    places = ("--report", f"json={tmp_path}/{{table}}-{{region}}.json", "--format", "csv")
    assert app.main(["scan", "--source", str(folder), "--dialect", "hashed", *places]) == 0, capfd.readouterr().err
    assert "2999-01-01 00:00 UTC (later than the local clock)" in (tmp_path / "---.json").read_text()


@pytest.mark.parametrize(
    ("source", "words"), [("ftp://a/b", "neither a path nor"), ("", "the path is empty"), ("s3://", "bucket")]
)
def test_what_is_no_place_is_refused(source: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert app.main(["scan", "--dialect", "hashed", "--source", source]) == 2
    assert words in capfd.readouterr().err
