"""The folder for temporary files, which may be missing where a container can write nowhere."""

import tempfile
from pathlib import Path

from janitor.errors import ConfigurationError


def temporary_folder() -> Path:
    """The folder for temporary files: TMPDIR, or the system's.

    Raises:
        ConfigurationError: there is none that can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        raise ConfigurationError(
            "there is no folder for temporary files: nothing can be written to TMPDIR, /tmp, /var/tmp or /usr/tmp",
            "set TMPDIR to a folder that can be written, with room in it",
            "temporary-files",
        ) from None


def way_to_room() -> str:
    """What to do where a temporary file could not be written."""
    try:
        return f"free some space in {temporary_folder()}, or set TMPDIR"
    except ConfigurationError as error:
        return f"{error.way_out}"
