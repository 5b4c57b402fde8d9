"""The site of docs/ builds without a warning, and a reader's browser asks no other server for anything."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a browser loads by itself; an ordinary link it follows only when somebody clicks on it.
_LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
_OF_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
# A command that stands as a paragraph: its lines run together, and nobody can copy it.
_COMMAND_IN_TEXT = re.compile(r"<p>(?:aws|docker|janitor|kubectl|openssl) [^<]* --?\w[^<]*")
# Names in XML, and not addresses that a browser asks.
_NAMESPACES = ("http://www.w3.org/",)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    return folder


class _Loads(HTMLParser):
    """Collects the addresses of what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") == "canonical":
            return
        address = values.get(_LOADED.get(tag, ""))
        if address:
            self.found.append(address)


def test_no_page_loads_anything_from_another_server(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found
        assert [each for each in loads.found if urlsplit(each).netloc] == [], page


def test_no_style_loads_anything_from_another_server(site: Path) -> None:
    styles = sorted(site.rglob("*.css"))
    assert styles
    for style in styles:
        found = _OF_CSS.findall(style.read_text(encoding="utf-8"))
        assert [each for each in found if not each.startswith(_NAMESPACES)] == [], style


def test_no_page_has_a_diagram_whose_program_another_server_has(site: Path) -> None:
    assert [page for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text(encoding="utf-8")] == []


def test_commands_are_shown_as_code(site: Path) -> None:
    # In a list, Markdown's code begins 8 spaces from the margin.
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert {page.name: found for page, text in pages.items() if (found := _COMMAND_IN_TEXT.findall(text))} == {}


def test_every_kind_of_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert [kind for kind in ("Tutorial", "How-to guides", "Reference", "Explanation") if kind not in home] == []
