"""The pictures of the documentation: small, complete by themselves, and without a token."""

import re
from pathlib import Path

import pytest

from janitor.demo.lisa_table import TABLE_NAMES, make_rows
from tests.pictures import FOLDER, NOW

PICTURES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".mmd")
DRAWN = [path for path in PICTURES if path.suffix == ".svg"]
MOST_BYTES = 300_000


def test_each_picture_is_there_and_small() -> None:
    assert {path.name for path in PICTURES} == {"report.svg", "report-page.png", "one-run.svg"}
    assert max(path.stat().st_size for path in PICTURES) < MOST_BYTES


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_drawn_picture_fetches_nothing_and_shows_no_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/)|@import|<script|url\((?!['\"]?#)", text) == []
    rows = [row for dialect in TABLE_NAMES for row in make_rows(int(NOW.timestamp()), dialect)]
    assert [row["token"]["S"] for row in rows if row["token"]["S"] in text] == []
