"""Where files go that nobody gave a path for: the user's state directory (XDG Base Directory Specification)."""

import os
import pwd
import tempfile
from collections.abc import Sequence
from pathlib import Path

from janitor.errors import ConfigurationError

ARCHIVE_FOLDER = "archive"
PLAN_FOLDER = "plans"

# Set by Kubernetes, ECS and Lambda for what they run.
_OF_PASSING_DISKS = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4", "AWS_LAMBDA_FUNCTION_NAME")


def state_directory() -> Path:
    """`$XDG_STATE_HOME/janitor`, by default `~/.local/state/janitor`. It may not be there yet.

    Raises:
        ConfigurationError: neither variable says where, and the user has no home.
    """
    home = os.environ.get("XDG_STATE_HOME")
    base = Path(home) if home and Path(home).is_absolute() else _home() / ".local" / "state"
    return base / "janitor"


def plan_folder() -> Path | None:
    """Where plans that were refused are kept; None where no disk outlives the run, or none can be written."""
    try:
        folder = state_directory() / PLAN_FOLDER
    except ConfigurationError:
        return None
    is_passing = any(name in os.environ for name in _OF_PASSING_DISKS)
    return None if is_passing or why_not_writable(folder) is not None else folder


def _home() -> Path:
    # As `Path.home`, which raises RuntimeError for a user without a name, as containers have.
    home = os.environ.get("HOME")
    if home and Path(home).is_absolute():
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigurationError(
            f"there is no state directory: HOME is not set, and nobody has the user id {os.getuid()}",
            "set XDG_STATE_HOME to a folder that can be written, or give --archive, --state-url, --state-dir",
            "no-home",
        ) from None


def why_not_writable(folder: Path) -> str | None:
    """Why a file in this folder could not be made, looking only; None where it could. The folder may not exist yet."""
    # os.path's own checks, because those of pathlib raise where a folder on the way may not be searched.
    existing = folder
    while not os.path.lexists(existing) and existing != existing.parent:
        existing = existing.parent
    if not os.path.isdir(existing):  # noqa: PTH112
        return f"{existing} is no folder"
    return None if os.access(existing, os.W_OK | os.X_OK) else f"{existing} cannot be written"


def why_no_file(folder: Path) -> str | None:
    """Why a file there could not be written, by writing one that has no name and is gone at once; None where it could.

    Where the folder does not exist yet, in the one that it would be made in.
    """
    existing = next(each for each in (folder, *folder.parents) if is_folder(each))
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{existing} cannot be written: {error.strerror}"
    return None


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False too where nobody may look."""
    return os.path.isdir(path)  # noqa: PTH112


def is_taken(path: Path) -> bool:
    """Whether anything is there, a broken link too; False too where nobody may look."""
    return os.path.lexists(path)


def check_places_differ(places: Sequence[tuple[str, Path]]) -> None:
    """Places by what the user calls them, each of which is to be a file of its own.

    Raises:
        ConfigurationError: two of them are the same.
    """
    seen: dict[str, str] = {}
    for name, path in places:
        real = os.path.realpath(path)
        if real in seen:
            raise ConfigurationError(f"{seen[real]} and {name} are one file, {path}", "give each a path of its own")
        seen[real] = name


def path_named(name: str, path: Path | None) -> list[tuple[str, Path]]:
    """A path by what the user calls it; nothing for none."""
    return [] if path is None else [(name, path)]
