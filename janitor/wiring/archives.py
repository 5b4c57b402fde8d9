"""The archive that keeps rows before they are deleted, by a sweep or by a command of `janitor token`."""

from pathlib import Path
from typing import Protocol

from janitor.archive.archive import Archive, FileArchive, NoArchive
from janitor.archive.plan import PlanHeader
from janitor.archive.s3_archive import S3Archive
from janitor.errors import ConfigurationError
from janitor.report.target_options import quote_word
from janitor.settings.parsers import Folder, S3Prefix
from janitor.sinks.s3_folder import S3Folder
from janitor.stopping import ARCHIVE_SECONDS, Stop
from janitor.tokens.dialect import Dialect
from janitor.wiring.open_table import OpenTable
from janitor.wiring.places import (
    ARCHIVE_FOLDER,
    find_state_directory,
    is_folder,
    is_taken,
    why_lost,
    why_not_writable,
    why_write_fails,
)

ANOTHER_PLACE = "give --archive another path"
_BOTH = ("archive", "no_archive")


class ArchiveSettings(Protocol):
    """The two settings of an archive; several groups of settings have them."""

    @property
    def archive(self) -> Path | Folder | S3Prefix | None:
        """The place; None for the state directory."""

    @property
    def no_archive(self) -> bool:
        """Whether no archive is kept."""

    def given_by_flag(self, *names: str) -> list[str]:
        """Those of these settings that are given as flags."""


def check_archive(settings: ArchiveSettings) -> None:
    """Check that --archive and --no-archive are not both given. One flag beats the other's variable.

    Raises:
        ConfigurationError: both are given, as flags or as variables.
    """
    if settings.archive is not None and settings.no_archive and len(settings.given_by_flag(*_BOTH)) != 1:
        raise ConfigurationError("--archive and --no-archive contradict each other", "give one of them")


def keeps_no_archive(settings: ArchiveSettings) -> bool:
    """Whether no archive is kept; the flag --archive beats the variable of --no-archive."""
    return settings.no_archive and settings.given_by_flag(*_BOTH) != ["archive"]


def make_archive(settings: ArchiveSettings, opened: OpenTable, header: PlanHeader, stop: Stop) -> Archive:
    """Make the archive that --archive and --no-archive ask for; nothing is written yet.

    Args:
        settings: where the archive goes.
        opened: the table, and the session for S3.
        header: the archive's first line, which also names its file.
        stop: says whether the run was asked to stop.
    """
    if keeps_no_archive(settings):
        return NoArchive()
    name = f"{header.table.name}-{_format_stamp(header)}-{header.run_id}{opened.file_suffix}"
    match settings.archive:
        case None:
            return FileArchive(find_state_directory("--archive") / ARCHIVE_FOLDER / f"{name}.ndjson")
        case S3Prefix(bucket, prefix):
            parent = prefix if prefix in {"", "/"} or prefix.endswith("/") else f"{prefix}/"
            folder = S3Folder(opened.aws.s3, bucket, f"{parent}{name}/")
            return S3Archive(folder.location, folder.put, lambda: stop.has_passed(ARCHIVE_SECONDS))
        case Folder(path):
            return FileArchive(path / f"{name}.ndjson")
        case path:
            return FileArchive(path / f"{name}.ndjson" if is_folder(path) else path)


def _format_stamp(header: PlanHeader) -> str:
    return header.created_at.replace("-", "").replace(":", "")


def describe_archive_place(settings: ArchiveSettings) -> str | None:
    """Where archives go: the file, or the folder or prefix in which each gets a name of its own; None for nowhere."""
    if keeps_no_archive(settings):
        return None
    match settings.archive:
        case None:
            return f"{find_state_directory('--archive').absolute() / ARCHIVE_FOLDER}/"
        case S3Prefix(bucket, prefix):
            return f"s3://{bucket}/{prefix if not prefix or prefix.endswith('/') else f'{prefix}/'}"
        case Folder(path):
            return f"{path.absolute()}/"
        case path:
            return f"{path.absolute()}/" if is_folder(path) else str(path.absolute())


def format_restore_command(archive: Archive, header: PlanHeader, target: str, *, is_dry_run: bool) -> str | None:
    """Format the command that undoes the deletes; None without an archive.

    It puts rows back as they stood, which is beside the other rows of their owners. In a table of LISA before 6.1 no
    row keeps another out.

    Args:
        archive: the archive of this run.
        header: its first line, of which its name has the time and the run's id. Those of a later run are not known, so
            in a dry run TIME and RUN stand for them.
        target: the options that name the table, each with a space before it.
        is_dry_run: whether this run will not write the archive.
    """
    location = archive.location
    if location is None:
        return None
    if is_dry_run:
        location = location.replace(f"-{_format_stamp(header)}-{header.run_id}", "-TIME-RUN")
    beside = " --beside" if header.policy.dialect is Dialect.HASHED else ""
    return f"janitor restore {quote_word(location)} --all{beside}{target}"


def find_archive_problem(
    archive: Archive, place: Path | Folder | S3Prefix | None, opened: OpenTable, *, is_dry_run: bool
) -> str | None:
    """Find out why the archive could not be written or kept, and what to do; None if it could. Leaves nothing behind.

    Args:
        archive: the archive.
        place: the value of --archive.
        opened: the session for S3.
        is_dry_run: whether the archive will not be opened. Opening proves more, so a dry run tries harder here.
    """
    if isinstance(archive, FileArchive):
        if is_taken(archive.path):
            return f"{archive.path} exists already; give --archive a new file, or a folder"
        problem = why_lost(archive.path.parent, "--archive") or why_not_writable(archive.path, ANOTHER_PLACE)
        if problem is None and is_dry_run:
            problem = why_write_fails(archive.path, ANOTHER_PLACE)
        return "; ".join(problem) if problem else None
    if is_dry_run and isinstance(archive, S3Archive) and isinstance(place, S3Prefix):
        return S3Folder(opened.aws.s3, place.bucket, place.prefix).find_problem()
    return None
