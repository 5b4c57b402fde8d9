import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from janitor.serve.last_report import load_last_reports
from janitor.serve.page import render_page
from tests.html_reports import HOSTILE, after_a_sweep, believable
from tests.unit.serve.statuses import HOUR, NIGHTLY, NOW, TABLE, daemon_status, job, job_status, keep


class Texts(HTMLParser):
    """The page's text, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def text_of(html: str) -> str:
    return " ".join(Texts(html).text.split())


def test_a_job_that_failed_says_why_and_one_that_did_not_says_nothing(tmp_path: Path) -> None:
    one = job(tmp_path, f"{NIGHTLY}{TABLE}")
    ended: dict[str, Any] = {"started_at": NOW - HOUR, "ended_at": NOW - HOUR}
    ended["errors"] = ("no table x; check the name", "<b>&")
    said = text_of(render_page(daemon_status(job_status(one, exit_code=2, outcome="failed", **ended))))
    assert "exit code 2: wrong configuration, nothing was read no table x; check the name <b>&" in said
    assert "see the log" not in said
    ended["errors"] = ()
    said = text_of(render_page(daemon_status(job_status(one, exit_code=1, outcome="failed", **ended))))
    assert "exit code 1: the run failed; see the log" in said
    ended["errors"] = ("the heartbeat did not answer",)
    said = text_of(render_page(daemon_status(job_status(one, exit_code=0, outcome="complete", **ended))))
    assert "heartbeat" not in said


def test_a_job_says_when_it_ran_how_that_ended_and_when_it_runs_next(tmp_path: Path) -> None:
    keep(believable(), tmp_path / "kept")
    text = f'description = "Warns owners"\n{NIGHTLY}timezone = "Europe/Berlin"\njitter = "5m"\n{TABLE}'
    one = job(tmp_path, text)
    said = text_of(
        render_page(
            daemon_status(
                job_status(
                    one,
                    load_last_reports(tmp_path / "kept"),
                    started_at=NOW - 2 * HOUR,
                    ended_at=NOW - 2 * HOUR + 4,
                    exit_code=3,
                    outcome="complete",
                    runs={"complete": 7, "failed": 1},
                    missed=2,
                    missed_at=NOW - 24 * HOUR,
                )
            )
        )
    )
    assert "All is well" in said
    assert "nightly only reports Warns owners Table tokens" in said
    assert "0 3 * * * Europe/Berlin, up to 5 minutes later" in said
    assert "Last run 2027-05-04 10:00 UTC 2 hours ago , took 4.0 s" in said
    assert "✓ complete exit code 3: a state of fail_on was found" in said
    assert "Next run 2027-05-04 13:00 UTC in 60 minutes" in said
    assert "7 complete, 1 failed, 2 missed, last 2027-05-03 12:00 UTC" in said
    assert "prod-LISAApiBaseTokenTable, us-east-1" in said


def test_what_deletes_what_failed_and_what_is_broken_cannot_be_overlooked(tmp_path: Path) -> None:
    keep(after_a_sweep(), tmp_path / "kept")
    delete = "[delete]\nenabled = true\n"
    sweep = job_status(
        job(tmp_path, f"{NIGHTLY}{TABLE}{delete}", "sweep"),
        load_last_reports(tmp_path / "kept"),
        started_at=NOW - 9,
        outcome="lost",
    )
    dry = job_status(
        job(tmp_path, f"{TABLE}[delete]\n", "dry"),
        started_at=NOW - 9,
        ended_at=NOW,
        exit_code=-9,
        outcome="failed",
        was_overdue=True,
    )
    said = text_of(render_page(daemon_status(sweep, dry, broken={"typo": "/x/typo.toml, line 2: [when] cron: no"})))
    assert "1 broken file, 2 jobs whose last run went wrong" in said
    assert "✕ failed it was long past its deadline, and was stopped" in said
    assert "typo.toml /x/typo.toml, line 2: [when] cron: no" in said
    assert "not even of their last valid version" in said
    assert "dry dry run" in said
    assert "not scheduled: [when] has no cron line" in said
    assert "sweep deletes" in said
    assert "✕ lost the daemon was killed while it was running" in said
    assert "an earlier run's: " in said
    assert re.search(r"deleted \d+ failed to delete \d+", said)
    assert "The folder cannot be read" in text_of(
        render_page(daemon_status(folder_error="/etc/janitor cannot be read: gone"))
    )
    assert "No jobs" in text_of(render_page(daemon_status()))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_file_becomes_more_than_text(text: str, tmp_path: Path) -> None:
    one = job(tmp_path, TABLE)
    plain = render_page(daemon_status(job_status(one), broken={"x": "y"}))
    quoted = "".join(f"\\u{ord(each):04x}" if ord(each) < 0xFFFF else f"\\U{ord(each):08x}" for each in text)
    hostile = job(tmp_path, f'description = "{quoted}"\n[table]\ntable = "{quoted}"\n')
    page = render_page(daemon_status(job_status(hostile), broken={text: text}, folder_error=text))
    assert Texts(page).names <= Texts(plain).names | {"p", "br", "h1"}
    assert "\x1b" not in page
    assert "\u202e" not in page
