"""Places of files: the state directory (XDG Base Directory Specification), and whether a place can be written."""

import errno
import os
import pwd
import tempfile
from collections.abc import Sequence
from pathlib import Path

from janitor.errors import ConfigurationError
from janitor.whole_file import explain_unwritable

ARCHIVE_FOLDER = "archive"
PLAN_FOLDER = "plans"

# Set by Kubernetes, ECS and Lambda for what they run.
_OF_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"
_EPHEMERAL_ENVIRONMENTS = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4", _OF_LAMBDA)

# The one folder of its own that a Lambda function can write to. It looks like a mount, and is lost with the function.
_LAMBDA_FOLDER = Path("/tmp")  # noqa: S108  # named by Lambda

# Docker puts the first into every container, Podman the second.
_CONTAINER_MARKERS = (".dockerenv", "run/.containerenv")


def find_state_directory(option: str) -> Path:
    """`$XDG_STATE_HOME/janitor`, by default `~/.local/state/janitor`. It may not exist yet.

    `option` is the option that names another place, such as `--archive`; the error suggests it.

    Raises:
        ConfigurationError: neither XDG_STATE_HOME nor HOME is set, and the user has no home.
    """
    return (_read_state_home() or _find_home(option) / ".local" / "state") / "janitor"


def find_plan_folder(root: Path = Path("/")) -> Path | None:
    """The folder for plans that a guard refused; None if it would not outlive the run, or cannot be written.

    `root` is the machine's root folder.
    """
    try:
        folder = find_state_directory("--plan") / PLAN_FOLDER
    except ConfigurationError:
        return None
    return None if _is_ephemeral(folder, root) or why_not_writable(folder) is not None else folder


def _is_ephemeral(folder: Path, root: Path) -> bool:
    """Whether the folder is lost after the run: it is on the disk of a pod, a task or a container itself."""
    if any(name in os.environ for name in _EPHEMERAL_ENVIRONMENTS):
        # The image sets XDG_STATE_HOME too, so the variable does not prove that a volume is mounted there.
        return not _is_mounted(folder, root)
    in_container = any(os.path.lexists(root / marker) for marker in _CONTAINER_MARKERS)
    return in_container and _read_state_home() is None and not _is_mounted(folder, root)


def _is_mounted(folder: Path, root: Path) -> bool:
    try:
        return _find_existing(folder).stat().st_dev != root.stat().st_dev
    except OSError:
        return False


def _read_state_home() -> Path | None:
    base = os.environ.get("XDG_STATE_HOME")
    return Path(base) if base and Path(base).is_absolute() else None


def _find_home(option: str) -> Path:
    # Not `Path.home`, which raises RuntimeError for a user id without a name, as in containers.
    home = os.environ.get("HOME")
    if home and Path(home).is_absolute():
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigurationError(
            f"there is no state directory: HOME is not set, and no user has the id {os.getuid()}",
            f"set XDG_STATE_HOME to a folder that can be written, or give {option}",
            "no-home",
        ) from None


def why_not_writable(path: Path, another: str = "give another path") -> tuple[str, str] | None:
    """Why no file or folder could be made here, and the way out, found without writing; None if one could.

    If the path is an existing folder: why no file could be made in it. `another` says how another path is given.
    """
    # Not pathlib's checks, which raise if a folder on the way may not be searched.
    existing = _find_existing(path)
    if not os.path.isdir(existing):  # noqa: PTH112
        number = errno.ENOTDIR
    elif os.access(existing, os.W_OK | os.X_OK):
        return None
    else:
        number = errno.EROFS if os.statvfs(existing).f_flag & os.ST_RDONLY else errno.EACCES
    return explain_unwritable(path, OSError(number, os.strerror(number)), another)


def _find_existing(folder: Path) -> Path:
    """The folder, or the nearest parent that exists."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def why_lost(folder: Path, another: str) -> tuple[str, str] | None:
    """Why a file in this folder is certain to be lost after the run, and the way out; None if it is not.

    `another` names the option that takes another place.
    """
    if _OF_LAMBDA in os.environ and Path(os.path.realpath(folder)).is_relative_to(_LAMBDA_FOLDER):
        return f"{folder} is lost with the Lambda function", f"give {another} a place in S3"
    return None


def why_write_fails(path: Path, another: str = "give another path") -> tuple[str, str] | None:
    """Find the same as `why_not_writable` by writing a nameless temporary file into the nearest folder that exists."""
    existing = next(each for each in (path, *path.parents) if is_folder(each))
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return explain_unwritable(path, error, another)
    return None


def is_folder(path: Path) -> bool:
    """Whether this is an existing folder; False too if its parent may not be searched."""
    return os.path.isdir(path)  # noqa: PTH112


def is_taken(path: Path) -> bool:
    """Whether anything exists here, even a broken link; False too if its parent may not be searched."""
    return os.path.lexists(path)


def check_places_differ(places: Sequence[tuple[str, Path]]) -> None:
    """Check that no two of these files are the same; each comes with the option that names it.

    Raises:
        ConfigurationError: two of them are the same.
    """
    names: dict[str, str] = {}
    for name, path in places:
        real = os.path.realpath(path)
        if real in names:
            raise ConfigurationError(f"{names[real]} and {name} are one file, {path}", "give each a path of its own")
        names[real] = name


def list_named_path(name: str, path: Path | None) -> list[tuple[str, Path]]:
    """The path with the option that names it, as a list of one; an empty list for None."""
    return [] if path is None else [(name, path)]
