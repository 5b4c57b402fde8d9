"""Links between the project's own pages lead to files that are there, and to headings that they have."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FOLDERS = (".github", "deploy", "docs", "schedules", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in _FOLDERS for page in (ROOT / folder).rglob("*.md"))])
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK_IN_HEADING = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@cache
def anchors_of(page: Path) -> frozenset[str]:
    headings = _HEADING.findall(
        re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    )
    return frozenset(_make_anchor(_LINK_IN_HEADING.sub(r"\1", heading)) for heading in headings)


def _make_anchor(heading: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


def find_dead_links(page: Path, text: str) -> list[str]:
    dead = []
    for path, anchor in _LINK.findall(_CODE.sub("", text)):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            dead.append(f"{path}#{anchor}" if anchor else path)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert find_dead_links(page, page.read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    text = "[a](docs/none.md), [b](README.md#none), [c](README.md#install), [d](#licence), `[e](none)`"
    assert find_dead_links(ROOT / "README.md", text) == ["docs/none.md", "README.md#none"]
