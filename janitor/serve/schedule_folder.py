"""The folder of schedule files: load them, and notice which ones changed.

Changes are found by content, not by modification time: Kubernetes swaps a ConfigMap's files by a symbolic link, and an
editor replaces them.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from janitor.logs import get_logger
from janitor.serve.jobs import ScheduledJob, make_job
from janitor.settings.schedule import Schedule, ScheduleError, load_schedule, read_schedule
from janitor.tokens.printable import printable

log = get_logger("janitor.serve")

_SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class FolderContents:
    """What is in the folder.

    Attributes:
        jobs: the valid files, by name.
        broken: why each other file is not valid, by name. No run of such a file starts, not even of its last valid
            version: whoever broke a file that deletes does not want the old version to go on.
        error: why the folder itself cannot be read; None if it can.
    """

    jobs: Mapping[str, ScheduledJob] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


class ScheduleFolder:
    """A folder of schedule files. For use in one thread."""

    def __init__(
        self, path: Path, environment: Mapping[str, str], load: Callable[[Path], Schedule] = load_schedule
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            path: the folder.
            environment: the environment variables of the runs.
            load: loads a file.
        """
        self.path = path
        self._load = load
        self._environment = environment
        self._digests: Mapping[str, str] | None = None
        self.contents = FolderContents()

    def refresh(self, *, reads_all: bool = False) -> bool:
        """Read the folder, and load the files that changed.

        Args:
            reads_all: load every file, changed or not.

        Returns:
            whether the contents changed; always with `reads_all`.
        """
        try:
            digests = {path.stem: _compute_digest(path) for path in self._list_files()}
            folder_error = None
        except OSError as error:
            digests, folder_error = {}, f"{self.path} cannot be read: {error.strerror}"
        if digests == self._digests and folder_error == self.contents.error and not reads_all:
            return False
        before, self._digests = self.contents, digests
        self.contents = self._load_files(digests, before, folder_error, reads_all=reads_all)
        _log_changes(before, self.contents, reads_all=reads_all)
        return True

    def _list_files(self) -> list[Path]:
        # Hidden files belong to an editor, or are parts of a ConfigMap.
        return sorted(path for path in self.path.iterdir() if path.suffix == _SUFFIX and not path.name.startswith("."))

    def _load_files(
        self, digests: Mapping[str, str], before: FolderContents, folder_error: str | None, *, reads_all: bool
    ) -> FolderContents:
        jobs: dict[str, ScheduledJob] = {}
        broken: dict[str, str] = {}
        for name, digest in digests.items():
            known = before.jobs.get(name)
            if known is not None and known.digest == digest and not reads_all:
                jobs[name] = known
                continue
            try:
                jobs[name] = self._load_job(name, digest)
            except ScheduleError as error:
                broken[name] = "; ".join(error.problems)
            except Exception as error:
                # A bug of ours must not stop the other jobs; the log says where it came from.
                why = f"{self.path / name}{_SUFFIX} cannot be read: {type(error).__name__}"
                log.exception("file.not_read", job=printable(name), reason=why)
                broken[name] = why
        return FolderContents(jobs, broken, folder_error)

    def _load_job(self, name: str, digest: str) -> ScheduledJob:
        path = self.path / f"{name}{_SUFFIX}"
        if not name.isprintable():
            raise ScheduleError(path, [f"{printable(name)}{_SUFFIX}: a name must be printable text"])
        return make_job(name, self._load(path), digest, self._environment)


def _compute_digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_schedule(path)).hexdigest()
    except OSError as error:
        # Reported when it is loaded. The kind of error tells whether it is a change.
        return f"error {error.errno}"


def _log_changes(before: FolderContents, now: FolderContents, *, reads_all: bool) -> None:
    if now.error and now.error != before.error:
        log.error("folder.not_read", error=now.error, way_out="its jobs are off until the folder can be read")
    for name, why in now.broken.items():
        if reads_all or before.broken.get(name) != why:
            log.error("file.broken", job=printable(name), error=printable(why), was_scheduled=name in before.jobs)
    for name, job in now.jobs.items():
        known = before.jobs.get(name)
        if known is None or known.digest != job.digest:
            event = "job.loaded" if known is None else "job.changed"
            log.info(event, job=name, cron=job.line, deletes=job.deletes)
            if job.line is None:
                log.warning("job.not_scheduled", job=name, reason="[when] has no cron line")
    for name in before.jobs.keys() - now.jobs.keys() - now.broken.keys():
        log.info("job.removed", job=name)
