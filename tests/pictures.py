"""The pictures of the documentation, drawn from the demo's table: `python -m tests.pictures CACHE_FOLDER`.

`report.svg` is the report on a terminal, `report-page.png` the HTML report in headless Chromium, and `one-run.svg` the
diagram of a run, drawn from `one-run.mmd`: a page that drew it itself would have to fetch Mermaid from elsewhere. The
first is the same on every machine, because its table and its clock are fixed.
"""

import datetime as dt
import html
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import structs
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from janitor.demo.emulator import Emulator, run_emulator
from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.report.formats.html import HtmlFormat
from janitor.report.formats.table import TableFormat
from janitor.report.model import Report
from janitor.tokens.classify import State
from tests.dynamodb_local import FetchError, fetch_package

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MERMAID = "mermaid@11.4.1"
MERMAID_SHA256 = "ec7b61b391aaa24bf666fd20e48d0a626eeb4a95b95bc6b3016a122d7f0bc2af"
MERMAID_SCRIPT = "package/dist/mermaid.min.js"
NOW = dt.datetime(2027, 1, 15, 2, 15, tzinfo=dt.UTC)
COLUMNS = 109  # one less than gives the report the columns of a wide terminal, which are too small to read in a page
PAGE_SIZE = (1320, 1070)  # down to the charts
SECONDS = 60
_PNG_HEADER_END = 33
# A palette for a light and a dark page alike; the picture brings its own ground.
THEME = TerminalTheme(
    (13, 17, 23), (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207),
     (177, 186, 196)],
)  # fmt: skip
DIAGRAM = """<!doctype html><meta charset=utf-8><body><script src="{script}"></script><script>
mermaid.initialize({{startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart: {{htmlLabels: false}},
  deterministicIds: true}});
mermaid.render("one-run", {text}).then(drawn => {{
  const note = document.createElement("textarea");
  note.id = "drawn";
  const picture = new DOMParser().parseFromString(drawn.svg, "text/html").querySelector("svg");
  picture.style.background = "white";  // its lines are black, and a page may be dark
  note.textContent = new XMLSerializer().serializeToString(picture);
  document.body.replaceChildren(note);
}});
</script>"""


class PictureError(Exception):
    """A picture cannot be drawn; the message says what is missing."""


def main(arguments: Sequence[str]) -> int:
    """Draw the pictures, and return the exit code: 1 if one could not be drawn."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.pictures CACHE_FOLDER\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    report = scan_demo_table()
    _keep("report.svg", draw_terminal(report).encode())
    try:
        with tempfile.TemporaryDirectory(prefix="janitor-pictures-") as scratch:
            browser = Browser(find_browser(), Path(scratch))
            _keep("report-page.png", photograph_page(report, browser))
            diagram = (FOLDER / "one-run.mmd").read_text(encoding="utf-8")
            _keep("one-run.svg", draw_diagram(diagram, fetch_mermaid(Path(arguments[0])), browser).encode())
    except (PictureError, FetchError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def scan_demo_table() -> Report:
    """Scan the demo's table by a fixed clock, and take out of the report what another run would measure otherwise."""
    with run_emulator() as emulator:
        _use_only(emulator)
        aws = AwsSession(AwsAccess(endpoint_url=emulator.endpoint_url))
        create_lisa_table(aws.dynamodb, TABLE_NAMES["hashed"], "hashed", int(NOW.timestamp()))
        document = _scan().replace(f" --endpoint-url {emulator.endpoint_url}".encode(), b"")
    report = msgspec.json.decode(document, type=Report)
    measured = {"started_at": NOW, "finished_at": NOW, "duration_seconds": 0.2}
    policy = structs.replace(report.policy, as_of=None)
    [table] = report.tables
    return structs.replace(
        report,
        run=structs.replace(report.run, id="6f1c2a9e", **measured),
        policy=policy,
        tables=[structs.replace(table, endpoint=None, policy=policy, **measured)],
    )


def draw_terminal(report: Report) -> str:
    """Draw the upper half of the report as a terminal shows it."""
    shown = TableFormat(width=COLUMNS, colour=True).tail(report).decode()
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor")
    # What follows are lists and commands, which nobody reads in a picture.
    upper_half = shown[: shown.rindex("\n", 0, shown.index("Who is told:"))].rstrip()
    console.print(Text.from_ansi(f"$ janitor scan --deployment demo\n\n{upper_half}\n…"), soft_wrap=True)
    drawn = console.export_svg(title="janitor", theme=THEME, unique_id="janitor")
    # A font that would have to be fetched from elsewhere, and a comment about who drew it.
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL)


class Browser:
    """A Chromium that keeps nothing and calls nobody by itself."""

    def __init__(self, path: str, scratch: Path) -> None:
        """Args: where it is, and a folder for what it reads and leaves."""
        self.scratch = scratch
        self._path = path

    def open(self, page: Path, *options: str) -> str:
        """Open a page, and return what that prints.

        Raises:
            PictureError: it did not work.
        """
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-default-apps", "--disable-domain-reliability", "--disable-breakpad")  # fmt: skip
        command = [self._path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *quiet,
                   "--hide-scrollbars", f"--user-data-dir={self.scratch / 'profile'}", *options,
                   page.as_uri()]  # fmt: skip
        home = {**os.environ, "HOME": str(self.scratch)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=home)
        if done.returncode != 0:
            raise PictureError(f"{self._path} failed: {done.stderr.strip()}")
        return done.stdout


def find_browser() -> str:
    """Find a Chromium.

    Raises:
        PictureError: there is none.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise PictureError(f"no browser for the other pictures: none of {', '.join(BROWSERS)} is on the PATH")
    return found


def photograph_page(report: Report, browser: Browser) -> bytes:
    """Take a picture of the top of the HTML report; a text in it says of which table and what is there."""
    page, picture = browser.scratch / "report.html", browser.scratch / "report.png"
    page.write_bytes(HtmlFormat().tail(report))
    browser.open(page, f"--screenshot={picture}", f"--window-size={PAGE_SIZE[0]},{PAGE_SIZE[1]}")
    [table] = report.tables
    states = {state: getattr(report.counts, state.value) for state in State}
    return add_description(picture.read_bytes(), describe_table(table.name, states))


def describe_table(name: str, states: Mapping[State, int]) -> str:
    """Describe the table of a picture by its name, the picture's time and how many rows are in each state."""
    return f"{name} at {NOW.isoformat()}: {', '.join(f'{state.value} {states[state]}' for state in State)}"


def add_description(png: bytes, text: str) -> bytes:
    """Add a text to a PNG, behind its header: a chunk is its length, its type, its content and their checksum."""
    chunk = b"tEXtDescription\0" + text.encode("latin-1")
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:_PNG_HEADER_END] + whole + png[_PNG_HEADER_END:]


def fetch_mermaid(cache: Path) -> Path:
    """Return the path of Mermaid's script in this cache, where npm puts it once.

    Raises:
        FetchError: npm could not get the package.
    """
    script = cache / "mermaid" / MERMAID / "mermaid.min.js"
    if not script.is_file():
        script.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=script.parent) as folder:
            package = fetch_package(Path(folder), MERMAID, MERMAID_SHA256)
            with tarfile.open(package) as archive:
                archive.extract(MERMAID_SCRIPT, folder, filter="data")
            (Path(folder) / MERMAID_SCRIPT).rename(script)
    return script


def draw_diagram(diagram: str, script: Path, browser: Browser) -> str:
    """Draw a Mermaid diagram.

    Raises:
        PictureError: Mermaid did not draw it.
    """
    page = browser.scratch / "diagram.html"
    text = msgspec.json.encode(diagram).decode().replace("</", "<\\/")
    page.write_text(DIAGRAM.format(script=script.as_uri(), text=text), encoding="utf-8")
    dumped = browser.open(page, "--dump-dom", "--virtual-time-budget=20000")
    drawn = html.unescape(dumped.partition('<textarea id="drawn">')[2].partition("</textarea>")[0])
    if not drawn.startswith("<svg"):
        raise PictureError("Mermaid did not draw one-run.mmd")
    return f"{drawn}\n"


def _use_only(emulator: Emulator) -> None:
    # The settings of whoever draws must not lead away from the emulator, nor change what is drawn.
    for name in [name for name in os.environ if name.startswith(("AWS_", "JANITOR_"))]:
        del os.environ[name]
    os.environ.update(emulator.environment, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def _scan() -> bytes:
    command = [sys.executable, "-m", "janitor", "scan", "--deployment", "demo", "--as-of", NOW.isoformat(),
               "--format", "json", "--log-level", "error"]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True).stdout


def _keep(name: str, content: bytes) -> None:
    path = FOLDER / name
    is_new = not path.is_file() or path.read_bytes() != content
    path.write_bytes(content)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {len(content):,} bytes{'' if is_new else ', as before'}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
