"""The reports of a run: formats, and where each goes."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from janitor.cli.places import check_places_differ
from janitor.config import OutputSettings
from janitor.report.formats.csv import Csv
from janitor.report.formats.interface import Format
from janitor.report.formats.json import Json
from janitor.report.formats.markdown import Markdown
from janitor.report.formats.ndjson import Ndjson
from janitor.report.formats.table import Table
from janitor.run.outlets import Outlet, Outlets
from janitor.sinks.file import File
from janitor.sinks.stdout import Stdout

# Wide enough for every column of a table that goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160


def outlets_for(settings: OutputSettings, others: Sequence[tuple[str, Path]] = ()) -> Outlets:
    """The outlets, none of them opened.

    Args:
        settings: which reports.
        others: the files that the run reads and writes besides, by what the user calls them.

    Raises:
        ConfigurationError: two of all these are one file.
    """
    check_places_differ(
        [*others, *((f"--report {target.format}={target.path}", target.path) for target in settings.report)]
    )
    is_terminal = sys.stdout.isatty()
    stdout = settings.format or ("table" if is_terminal else "json")
    return Outlets(
        [
            *(Outlet(_format(target.format, is_terminal=False), File(target.path)) for target in settings.report),
            Outlet(_format(stdout, is_terminal=is_terminal), Stdout(sys.stdout.buffer)),
        ]
    )


def _format(name: str, *, is_terminal: bool) -> Format:
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_A_FILE
    formats: Mapping[str, Format] = {
        "table": Table(width=width, colour=is_terminal and "NO_COLOR" not in os.environ),
        "json": Json(),
        "ndjson": Ndjson(),
        "csv": Csv(),
        "markdown": Markdown(),
    }
    return formats[name]
