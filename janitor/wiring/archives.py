"""Where rows are kept before they are deleted, by a sweep or by a command of `janitor token`."""

from pathlib import Path
from typing import Protocol

from janitor.archive.archive import Archive, FileArchive, NoArchive
from janitor.archive.plan import Header
from janitor.archive.s3_archive import S3Archive
from janitor.errors import ConfigurationError
from janitor.settings.parsers import Folder, S3Prefix
from janitor.sinks.s3 import S3Folder
from janitor.stopping import ARCHIVE_SECONDS, Stop
from janitor.wiring.places import ARCHIVE_FOLDER, is_folder, is_taken, state_directory, why_no_file, why_not_writable
from janitor.wiring.table import OpenTable

_BOTH = ("archive", "no_archive")


class ArchiveSettings(Protocol):
    """The two settings of an archive, in whichever group of settings they stand."""

    @property
    def archive(self) -> Path | Folder | S3Prefix | None:
        """The place, None for the state directory."""

    @property
    def no_archive(self) -> bool:
        """Whether nothing is to be kept."""

    def typed(self, *names: str) -> list[str]:
        """Those of these settings that the command line itself gives."""


def check_archive(settings: ArchiveSettings) -> None:
    """See that --archive and --no-archive are not given both, one as a flag and one as a variable aside.

    Raises:
        ConfigurationError: they are.
    """
    if settings.archive is not None and settings.no_archive and len(settings.typed(*_BOTH)) != 1:
        raise ConfigurationError("--archive and --no-archive contradict each other", "give one of them")


def keeps_no_archive(settings: ArchiveSettings) -> bool:
    """Whether nothing is kept of deleted rows; a flag that names a place beats a variable that says so."""
    return settings.no_archive and settings.typed(*_BOTH) != ["archive"]


def archive_for(settings: ArchiveSettings, reached: OpenTable, header: Header, stop: Stop) -> Archive:
    """The archive that --archive and --no-archive ask for; nothing is written yet.

    Args:
        settings: which.
        reached: the table, and the way to S3.
        header: the archive's first line, which also names the file.
        stop: who may ask for an early end.
    """
    if keeps_no_archive(settings):
        return NoArchive()
    stamp = header.created_at.replace("-", "").replace(":", "")
    name = f"{header.table.name}-{stamp}-{header.run_id}{reached.file_suffix}"
    match settings.archive:
        case None:
            return FileArchive(state_directory("--archive") / ARCHIVE_FOLDER / f"{name}.ndjson")
        case S3Prefix(bucket, prefix):
            parent = prefix if prefix in {"", "/"} or prefix.endswith("/") else f"{prefix}/"
            folder = S3Folder(reached.aws.s3, bucket, f"{parent}{name}/")
            return S3Archive(folder.location, folder.put, lambda: stop.is_over(ARCHIVE_SECONDS))
        case Folder(path):
            return FileArchive(path / f"{name}.ndjson")
        case path:
            return FileArchive(path / f"{name}.ndjson" if is_folder(path) else path)


def archive_problem(
    archive: Archive, place: Path | Folder | S3Prefix | None, reached: OpenTable, *, is_dry_run: bool
) -> str | None:
    """Why the archive could not be written, as far as can be told without leaving anything; None where it could.

    Args:
        archive: that.
        place: what --archive says.
        reached: the way to S3.
        is_dry_run: whether nobody is going to open it, which proves more.
    """
    if isinstance(archive, FileArchive):
        if is_taken(archive.path):
            return f"{archive.path} exists already"
        folder = archive.path.parent
        return why_not_writable(folder) or (why_no_file(folder) if is_dry_run else None)
    if is_dry_run and isinstance(archive, S3Archive) and isinstance(place, S3Prefix):
        return S3Folder(reached.aws.s3, place.bucket, place.prefix).problem()
    return None
