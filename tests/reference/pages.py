"""Every page of docs/reference that is made from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.reference.commands import build_commands_page
from tests.reference.exit_codes import build_exit_codes_page
from tests.reference.iam import build_iam_page
from tests.reference.log_events import build_log_events_page
from tests.reference.metrics import build_metrics_page
from tests.reference.options import build_options_page
from tests.reference.report import build_report_page
from tests.reference.schedule_file import build_schedule_page

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": build_commands_page,
    "options.md": build_options_page,
    "report.md": build_report_page,
    "schedule-file.md": build_schedule_page,
    "exit-codes.md": build_exit_codes_page,
    "metrics.md": build_metrics_page,
    "log-events.md": build_log_events_page,
    "iam.md": build_iam_page,
}
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


def build_pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    return {name: build() for name, build in PAGES.items()}


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Write every page into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def find_stale_pages(folder: Path, pages: Mapping[str, str]) -> list[str]:
    """Return a line for each page of this folder that is missing, or not what the code says."""
    return [
        f"docs/reference/{name}: not what the code says: run `make format`"
        for name, text in pages.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
