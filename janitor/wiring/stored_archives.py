"""Finds plans and archives where they were written: in a file, in a folder, or under a prefix of S3."""

import datetime as dt
import io
import re
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from janitor.archive.plan_reader import PlanReader
from janitor.errors import ConfigurationError
from janitor.settings.parsers import Folder, S3Prefix, parse_archive
from janitor.settings.table import TableSettings
from janitor.sinks.s3_folder import S3Folder
from janitor.wiring.apply import open_plan
from janitor.wiring.open_table import open_session

_ENDINGS = (".ndjson", ".ndjson.gz")
# The time in the names that `make_archive` gives.
_STAMP = re.compile(r"-(\d{8}T\d{6}Z)-")


class StoredArchive(NamedTuple):
    """One archive.

    Attributes:
        location: its path or URL, as `janitor restore` takes it.
        open_parts: opens the files or objects that it consists of, in the order in which they were written; raises
            ConfigurationError if one is no archive.
    """

    location: str
    open_parts: Callable[[], Iterator[PlanReader]]


def open_archives(place: str, settings: TableSettings) -> Iterator[PlanReader]:
    """Open the plan or archive in this file, or every object of archives under this prefix of S3, newest first.

    Raises:
        ConfigurationError: the place is neither a path nor an URL, or what is there is no plan.
        AwsError: S3 refused or could not be reached.
    """
    parsed = parse_place(place)
    if not isinstance(parsed, S3Prefix):
        yield open_plan(parsed.path if isinstance(parsed, Folder) else parsed)
        return
    folder = _open_folder(parsed, settings)
    # Names contain the time they were made. If two archives hold a row, the newer one has its last state.
    for name in sorted(folder.names(), reverse=True):
        if name.endswith(_ENDINGS) or not name:
            yield _open_object(folder, name)


def find_archives(place: Path | Folder | S3Prefix, settings: TableSettings) -> list[StoredArchive]:
    """Find the archives in a folder or under a prefix of S3, newest first; or the one that is named.

    In a folder these are the files whose names end in .ndjson or .ndjson.gz.

    Raises:
        ConfigurationError: a folder cannot be read.
        AwsError: S3 refused or could not be reached.
    """
    if isinstance(place, S3Prefix):
        return _find_in_s3(_open_folder(place, settings))
    path = place.path if isinstance(place, Folder) else place
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
        paths = [each for each in path.iterdir() if each.name.endswith(_ENDINGS)] if is_folder else [path]
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}"
        raise ConfigurationError(sentence, "check the path", "archive-path") from None
    paths.sort(key=lambda each: (_find_time(each), each.name), reverse=True)
    return [StoredArchive(str(each), partial(_open_file, each)) for each in paths]


def parse_place(text: str) -> Path | Folder | S3Prefix:
    """Parse the path of a file or folder, or `s3://bucket/prefix/`.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        return parse_archive(text)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _open_file(path: Path) -> Iterator[PlanReader]:
    yield open_plan(path)


def _open_folder(place: S3Prefix, settings: TableSettings) -> S3Folder:
    return S3Folder(open_session(settings).s3, place.bucket, place.prefix)


def _find_in_s3(folder: S3Folder) -> list[StoredArchive]:
    """Find archives: the objects of one run are in a folder of their own."""
    names_by_location: dict[str, list[str]] = {}
    for name in folder.names():
        if name.endswith(_ENDINGS) or not name:
            names_by_location.setdefault(_locate_archive(f"{folder.location}{name}"), []).append(name)
    newest_first = sorted(names_by_location, key=lambda each: (_read_stamp(each) or "", each), reverse=True)
    return [StoredArchive(each, partial(_open_objects, folder, names_by_location[each])) for each in newest_first]


def _locate_archive(url: str) -> str:
    """Return the URL of the run's folder that an object is in; of an object elsewhere, its own."""
    parent = url[: url.rfind("/") + 1]
    return parent if _read_stamp(parent) else url


def _open_objects(folder: S3Folder, names: list[str]) -> Iterator[PlanReader]:
    return (_open_object(folder, name) for name in sorted(names))


def _open_object(folder: S3Folder, name: str) -> PlanReader:
    # Fetched again each time it is read, so that a long history does not fill the memory.
    return PlanReader(f"{folder.location}{name}", partial(_fetch, folder, name))


def _fetch(folder: S3Folder, name: str) -> BinaryIO:
    return io.BytesIO(folder.get(name))


def _read_stamp(name: str) -> str | None:
    """Read the time in the name of a file or folder; None if it has none, so that no run gave it that name."""
    found = _STAMP.search(PurePosixPath(name).name)
    return found[1] if found else None


def _find_time(path: Path) -> str:
    """The time in the file's name, or else that of its last change. What cannot be read has a line of its own."""
    stamp = _read_stamp(path.name)
    if stamp is not None:
        return stamp
    try:
        # Not of what a link leads to, which may be gone.
        return _format_stamp(path.lstat().st_mtime)
    except OSError:
        return ""


def _format_stamp(second: float) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y%m%dT%H%M%SZ}"
