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

# Docker and Podman put the one or the other into every container.
_MARKS_OF_CONTAINERS = (".dockerenv", "run/.containerenv")


def state_directory(option: str) -> Path:
    """`$XDG_STATE_HOME/janitor`, by default `~/.local/state/janitor`. It may not be there yet.

    `option` is what names another place, as `--archive`, for the error.

    Raises:
        ConfigurationError: neither variable says where, and the user has no home.
    """
    return (_chosen_base() or _home(option) / ".local" / "state") / "janitor"


def plan_folder(root: Path = Path("/")) -> Path | None:
    """Where plans that were refused are kept; None where no disk outlives the run, or none can be written.

    `root` is the machine's root folder.
    """
    try:
        folder = state_directory("--plan") / PLAN_FOLDER
    except ConfigurationError:
        return None
    return None if _passes(folder, root) or why_not_writable(folder) is not None else folder


def _passes(folder: Path, root: Path) -> bool:
    """Whether the folder is gone with the run: on the disk of a pod, a task or a container itself."""
    if any(name in os.environ for name in _OF_PASSING_DISKS):
        # The image sets XDG_STATE_HOME too, so it alone does not say that something is mounted there.
        return not _is_mounted(folder, root)
    in_container = any(os.path.lexists(root / mark) for mark in _MARKS_OF_CONTAINERS)
    return in_container and _chosen_base() is None and not _is_mounted(folder, root)


def _is_mounted(folder: Path, root: Path) -> bool:
    try:
        return _existing(folder).stat().st_dev != root.stat().st_dev
    except OSError:
        return False


def _chosen_base() -> Path | None:
    base = os.environ.get("XDG_STATE_HOME")
    return Path(base) if base and Path(base).is_absolute() else None


def _home(option: str) -> Path:
    # As `Path.home`, which raises RuntimeError for a user without a name, as containers have.
    home = os.environ.get("HOME")
    if home and Path(home).is_absolute():
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigurationError(
            f"there is no state directory: HOME is not set, and nobody has the user id {os.getuid()}",
            f"set XDG_STATE_HOME to a folder that can be written, or give {option}",
            "no-home",
        ) from None


def why_not_writable(folder: Path) -> str | None:
    """Why a file in this folder could not be made, looking only; None where it could. The folder may not exist yet."""
    # os.path's own checks, because those of pathlib raise where a folder on the way may not be searched.
    existing = _existing(folder)
    if not os.path.isdir(existing):  # noqa: PTH112
        return f"{existing} is no folder"
    return None if os.access(existing, os.W_OK | os.X_OK) else f"{existing} cannot be written"


def _existing(folder: Path) -> Path:
    """The folder, or the innermost one above it that is there."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


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
