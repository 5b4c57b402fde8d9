"""Where files go that nobody gave a path for: the user's state directory (XDG Base Directory Specification)."""

import os
from pathlib import Path

ARCHIVE_FOLDER = "archive"


def state_directory() -> Path:
    """`$XDG_STATE_HOME/janitor`, by default `~/.local/state/janitor`. It may not be there yet."""
    home = os.environ.get("XDG_STATE_HOME")
    base = Path(home) if home and Path(home).is_absolute() else Path.home() / ".local" / "state"
    return base / "janitor"


def why_not_writable(folder: Path) -> str | None:
    """Why a file in this folder could not be made, looking only; None where it could. The folder may not exist yet."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        return f"{existing} is no folder"
    return None if os.access(existing, os.W_OK | os.X_OK) else f"{existing} cannot be written"
