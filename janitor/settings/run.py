"""What `janitor run` is told besides what a sweep is."""

from dataclasses import dataclass
from pathlib import Path

from janitor.settings.parsers import parse_path
from janitor.settings.setting import Settings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings(Settings):
    """How the run of a schedule file goes."""

    check: bool = setting(
        "Run nothing: say what is wrong with the file, or what it would do and when it fires next.",
        is_switch=True,
        is_typed=True,
    )
    dry_run: bool = setting(
        "Delete nothing, whatever [delete] says, tell nobody and remember nothing: say what would be.", is_switch=True
    )
    keep_in: Path | None = setting(
        "Write the run's report to this folder too, as report.json and report.html.",
        metavar="FOLDER",
        parse=parse_path,
    )
