"""The page as a person sees it, in headless Chromium: on a desk and on a phone, light and dark, filtered, on paper.

What a reader sees is asked from around the page, which itself runs nothing: it is put into a frame, and a script
beside the frame writes down what is displayed in it. That also makes it as narrow as a phone, as no window can be.
"""

import contextlib
import html
import json
import os
import re
import shutil
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from janitor.report.formats.html import HtmlFormat
from tests.html_reports import MOST_URGENT_OWNER, after_a_sweep, believable

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE = (1280, 900), (390, 844)
SECONDS = 60
POLICY = re.compile(r"<meta http-equiv=Content-Security-Policy[^>]*>")
FRAME = r"""<!doctype html><meta charset=utf-8><meta name=color-scheme content="light dark">
<style>body{margin:0}iframe{display:block;border:0;width:%(width)dpx;height:%(height)dpx}</style>
<iframe srcdoc="%(page)s"></iframe><script>
addEventListener("load", () => {
  const page = frames[0].document, every = choice => [...page.querySelectorAll(choice)];
  %(first)s
  const seen = {
    text: page.body.innerText,
    width: page.documentElement.clientWidth,
    content: page.documentElement.scrollWidth,
    rows: every(".found tbody tr").filter(row => row.checkVisibility()).map(row => row.innerText),
    ground: getComputedStyle(page.body).backgroundColor,
    faint: every("body *").filter(isFaint).map(each => each.outerHTML.slice(0, 90)),
    crowded: every("svg").flatMap(chart => crowdedTicks([...chart.querySelectorAll("text[y='180']")])),
  };
  const note = document.createElement("pre");
  note.id = "seen";
  note.textContent = JSON.stringify(seen);
  document.body.append(note);
});
function crowdedTicks(ticks) {
  const places = ticks.map(tick => tick.getBoundingClientRect());
  return ticks.slice(1).filter((_, at) => places[at + 1].left - places[at].right < 4).map(tick => tick.textContent);
}
function luminance(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function groundOf(element) {
  const ground = getComputedStyle(element).backgroundColor;
  return ground === "rgba(0, 0, 0, 0)" ? groundOf(element.parentElement) : ground;
}
function isFaint(element) {
  const says = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!says || !element.checkVisibility()) return false;
  const style = getComputedStyle(element), colour = element.closest("svg") ? style.fill : style.color;
  const [dark, light] = [luminance(colour), luminance(groundOf(element))].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05) < 4.5;
}
</script>"""

Browse: TypeAlias = Callable[..., str]
Seen: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def browser() -> str:
    """The path of a Chromium."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no chromium on this machine: nobody has looked at the page (`apt-get install chromium`)")
    return found


@pytest.fixture
def browse(browser: str, tmp_path: Path) -> Browse:
    """Open a page in a browser that keeps nothing and calls nobody by itself."""

    def run(page: Path, *options: str, size: tuple[int, int] = DESK) -> str:
        width, height = size
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-default-apps", "--disable-domain-reliability", "--disable-breakpad")  # fmt: skip
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *quiet,
                   "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}",
                   f"--window-size={width},{height}", *options, page.as_uri()]  # fmt: skip
        # It keeps more than its profile: caches and settings of the desktop, in what it takes for a home.
        home = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=home)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(HtmlFormat().tail(believable()))
    return path


def seen(browse: Browse, page: Path, *options: str, size: tuple[int, int] = DESK, first: str = "") -> Seen:
    """What a reader sees of the page, after this JavaScript did what a reader would do."""
    around = page.with_name("around.html")
    parts = {"page": html.escape(page.read_text()), "width": size[0], "height": size[1], "first": first}
    around.write_text(FRAME % parts)
    dumped = browse(around, "--dump-dom", *options, size=DESK)
    said: Seen = json.loads(html.unescape(dumped.partition('<pre id="seen">')[2].partition("</pre>")[0]))
    return said


def choose(name: str, words: str) -> str:
    """JavaScript that chooses the option with these words."""
    return (
        f"const choice = page.querySelector('#by-{name}');"
        f"choice.value = [...choice.options].find(each => each.text === {json.dumps(words)}).value;"
    )


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_reader_sees_the_counts_and_who_is_most_urgent(
    browse: Browse, page: Path, tmp_path: Path, size: tuple[int, int], theme: str
) -> None:
    options = ["--blink-settings=preferredColorScheme=0"] if theme == "dark" else []
    picture = tmp_path / "picture.png"
    browse(page, f"--screenshot={picture}", *options, size=size)
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == size
    said = seen(browse, page, *options, size=size)
    report = believable()
    text = " ".join(said["text"].split())
    for state in ("expiring", "expired", "stale", "permanent", "malformed", "legacy", "active"):
        assert re.search(rf"{state} {getattr(report.counts, state)} ", text), state
    assert f"the next in 3 hours: that of {MOST_URGENT_OWNER}." in text
    assert MOST_URGENT_OWNER in said["rows"][0]
    assert len(said["rows"]) == len(report.findings)
    assert "<script>alert(1)</script>" in text
    assert "16 tokens expire on one day, 2026-10-03." in text
    assert (sum(map(int, re.findall(r"\d+", said["ground"])[:3])) < 3 * 64) == (theme == "dark")
    assert said["faint"] == [], "text that is hard to read on its ground"


@pytest.mark.parametrize("width", [390, 600, 800, 1000, 1280])
@pytest.mark.parametrize("report", [believable, after_a_sweep])
def test_nothing_sticks_out_at_any_width(browse: Browse, tmp_path: Path, report: Any, width: int) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(HtmlFormat().tail(report()))
    said = seen(browse, page, size=(width, 900), first="every('details').forEach(each => each.open = true);")
    assert said["width"] == width
    assert said["content"] <= width
    assert said["crowded"] == [], "texts below a chart that touch the one before them"


def test_a_reader_filters_without_a_script_of_the_page(browse: Browse, page: Path) -> None:
    by_owner = seen(browse, page, first=choose("owner", "ben.moreau@example.com"))
    assert len(by_owner["rows"]) == 7
    assert all("ben.moreau@example.com" in row for row in by_owner["rows"])
    # The number before it is a counter of CSS, which no script can read.
    assert "of 71 listed rows match the filter" in by_owner["text"]
    unticked = seen(browse, page, first="page.querySelector('#show-expiring').checked = false;")
    assert len(unticked["rows"]) == len(believable().findings) - 71
    assert "match the filter" not in unticked["text"]
    soon = seen(browse, page, first=choose("within", "24 hours"))
    assert len(soon["rows"]) == 2
    workbench = seen(browse, page, first=choose("accepted", "MCP Workbench only"))
    assert len(workbench["rows"]) == 3


def test_rows_of_the_plan_can_be_told_from_the_others(browse: Browse, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(HtmlFormat().tail(after_a_sweep()))
    assert len(seen(browse, page, first=choose("plan", "in the plan"))["rows"]) == 60
    assert len(seen(browse, page, first=choose("plan", "not in the plan"))["rows"]) == 148 - 60


def test_paper_is_light_and_short(browse: Browse, page: Path, tmp_path: Path) -> None:
    paper = tmp_path / "page.pdf"
    browse(page, f"--print-to-pdf={paper}", "--blink-settings=preferredColorScheme=0")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert 3 <= pages <= 20


class _Asked(socketserver.ThreadingTCPServer):
    """A proxy that answers nothing, and remembers what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hang)
        self.lines: list[bytes] = []


class _Hang(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Asked)
        self.server.lines.append(self.rfile.readline())


@contextlib.contextmanager
def asked() -> Iterator[_Asked]:
    with _Asked() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("change", "leaves"),
    [
        (lambda text: text, False),
        (lambda text: text.replace("</body>", "<img src=http://leak.example/pixel></body>"), False),
        (lambda text: POLICY.sub("", text).replace("</body>", "<img src=http://leak.example/pixel></body>"), True),
    ],
    ids=["the page", "the page with a picture", "a picture without the policy"],
)
def test_no_request_leaves_the_page(
    browse: Browse,
    page: Path,
    tmp_path: Path,
    change: Callable[[str], str],
    leaves: bool,  # noqa: FBT001
) -> None:
    changed = tmp_path / "report.html"
    changed.write_text(change(page.read_text()))
    with asked() as server:
        proxy = f"--proxy-server=127.0.0.1:{server.server_address[1]}"
        browse(changed, "--dump-dom", proxy, "--proxy-bypass-list=<-loopback>")
        lines = list(server.lines)
    assert any(b"leak.example" in line for line in lines) == leaves
    # A browser of a distribution may look for its own updates; nothing else may be asked for.
    assert [line for line in lines if b"leak.example" not in line and b"google" not in line] == []
