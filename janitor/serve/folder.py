"""The folder of schedule files: what is in it now, and what changed since the last look.

Looked at by content, not by time: Kubernetes swaps a ConfigMap's files by a symbolic link, an editor replaces them.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from janitor.logs import get_logger
from janitor.serve.jobs import ScheduledJob, job_of
from janitor.settings.schedule import Schedule, ScheduleError, load_schedule, read_schedule
from janitor.tokens.printable import printable

log = get_logger("janitor.serve")

_ENDING = ".toml"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the folder holds.

    Attributes:
        jobs: the right files, by name.
        broken: why each other file is wrong, by name. No run of it starts, not even by what it said before: whoever
            broke a file that deletes does not want the old one to go on.
        fault: why the folder itself cannot be read; None where it can.
    """

    jobs: Mapping[str, ScheduledJob] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


class ScheduleFolder:
    """A folder of schedule files. For one thread."""

    def __init__(
        self, path: Path, environment: Mapping[str, str], load: Callable[[Path], Schedule] = load_schedule
    ) -> None:
        """A folder that was not looked at yet.

        Args:
            path: the folder.
            environment: the variables that its runs will see.
            load: reads a file.
        """
        self.path = path
        self._load = load
        self._environment = environment
        self._digests: Mapping[str, str] | None = None
        self.contents = Contents()

    def refresh(self, *, anew: bool = False) -> bool:
        """Look at the folder, and read the files that changed.

        Args:
            anew: read every file, changed or not.

        Returns:
            whether the contents are others than before.
        """
        try:
            digests = {path.stem: _digest(path) for path in self._files()}
            fault = None
        except OSError as error:
            digests, fault = {}, f"{self.path} cannot be read: {error.strerror}"
        if digests == self._digests and fault == self.contents.fault and not anew:
            return False
        before, self._digests = self.contents, digests
        self.contents = self._read(digests, before, fault, anew=anew)
        _say_changes(before, self.contents, anew=anew)
        return True

    def _files(self) -> list[Path]:
        # Hidden ones are an editor's, or the parts that a ConfigMap is made of.
        return sorted(path for path in self.path.iterdir() if path.suffix == _ENDING and not path.name.startswith("."))

    def _read(self, digests: Mapping[str, str], before: Contents, fault: str | None, *, anew: bool) -> Contents:
        jobs: dict[str, ScheduledJob] = {}
        broken: dict[str, str] = {}
        for name, digest in digests.items():
            known = before.jobs.get(name)
            if known is not None and known.digest == digest and not anew:
                jobs[name] = known
                continue
            try:
                jobs[name] = self._job(name, digest)
            except ScheduleError as error:
                broken[name] = "; ".join(error.problems)
            except Exception as error:
                # A fault of ours must not take the other jobs down; where it is, the log says.
                why = f"{self.path / name}{_ENDING} cannot be read: {type(error).__name__}"
                log.exception("file.not_read", job=printable(name), reason=why)
                broken[name] = why
        return Contents(jobs, broken, fault)

    def _job(self, name: str, digest: str) -> ScheduledJob:
        path = self.path / f"{name}{_ENDING}"
        if not name.isprintable():
            raise ScheduleError(path, [f"{printable(name)}{_ENDING}: a name is to be printable text"])
        return job_of(name, self._load(path), digest, self._environment)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_schedule(path)).hexdigest()
    except OSError as error:
        # Said once it is loaded; what kind of an error it is tells whether that is news.
        return f"error {error.errno}"


def _say_changes(before: Contents, now: Contents, *, anew: bool) -> None:
    if now.fault and now.fault != before.fault:
        log.error("folder.not_read", error=now.fault, way_out="its jobs are off until it can be read")
    for name, why in now.broken.items():
        if anew or before.broken.get(name) != why:
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
