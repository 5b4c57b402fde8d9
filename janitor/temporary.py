"""The folder for temporary files. There may be none, in a container with a read-only file system."""

import tempfile
from pathlib import Path

from janitor.errors import ConfigurationError


def temporary_folder() -> Path:
    """The folder for temporary files: TMPDIR, or the system's.

    Raises:
        ConfigurationError: no such folder can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        raise ConfigurationError(
            "there is no folder for temporary files: nothing can be written to TMPDIR, /tmp, /var/tmp or /usr/tmp",
            "set TMPDIR to a folder that can be written and has free space",
            "temporary-files",
        ) from None


def suggest_freeing_space() -> str:
    """What to do if a temporary file cannot be written."""
    try:
        return f"free some space in {temporary_folder()}, or set TMPDIR"
    except ConfigurationError as error:
        return f"{error.way_out}"
