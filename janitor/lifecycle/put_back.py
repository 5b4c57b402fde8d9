"""Rows of an archive back into their table: chosen, and each only where no row stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from janitor.archive.plan import PlannedRow
from janitor.archive.plan_reader import PlanReader, digest_of
from janitor.background import WAKE_SECONDS, Workers
from janitor.errors import ConfigurationError, JanitorError
from janitor.logs import get_logger
from janitor.stopping import LAST_SECONDS, Stop
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.row import Row, row_of, text_of
from janitor.tokens.user_name import composed

log = get_logger("janitor.restore")

MOST_FOUND = 20
_WORKERS = 16
_MOST_PENDING = 64

RESTORED, STANDS, CHANGED, FAILED = "restored", "row-stands", "was-not-deleted", "failed"
_KEPT = frozenset({DeletionOutcome.CHANGED, DeletionOutcome.PLANNED})

# Puts a row back, and says whether it did: False where a row with its key stands.
Put = Callable[[PlannedRow, Row], bool]


@dataclass(frozen=True, slots=True)
class RestoreChoice:
    """Which rows: those these names fit (fingerprints, starts of them, row names), those of these owners, or all."""

    fingerprints: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    all: bool = False

    def takes(self, planned: PlannedRow, row: Row) -> bool:
        """Whether the row is one of them."""
        is_named = any(fits_row(name, planned) for name in self.fingerprints)
        owner = text_of(row.username)
        is_of_a_user = owner is not None and composed(owner) in map(composed, self.users)
        return self.all or is_named or is_of_a_user


def fits_row(name: str, planned: PlannedRow) -> bool:
    """Whether a fingerprint, the start of one, or a row's name is that of a row."""
    return planned.fingerprint.startswith(name) or planned.row_name == name


class ManyRowsError(ConfigurationError):
    """A name fits several rows of the archives, so that nobody can tell which was meant.

    Attributes:
        rows: of each fitting row its line and what it is, at most 21.
    """

    default_code = "ambiguous-token"

    def __init__(self, name: str, rows: "Sequence[Planned]") -> None:
        number = f"more than {MOST_FOUND}" if len(rows) > MOST_FOUND else f"{len(rows)}"
        super().__init__(
            f"{number} rows of the archive have the fingerprint {name}, so nothing was put back",
            "give the name of one of those above, its first column",
        )
        self.rows = rows[:MOST_FOUND]


class Restored(NamedTuple):
    """What became of a row that was chosen; `error` is why it failed, if it did."""

    planned: PlannedRow
    row: Row
    outcome: str
    error: JanitorError | None = None


def restore(archives: Sequence[PlanReader], choice: RestoreChoice, put: Put, stop: Stop) -> Iterator[Restored]:
    """Put the chosen rows back, several at once, in any order.

    A row that the archive says was `changed`, or stayed `planned`, is skipped: janitor never deleted it. One whose
    outcome is unknown, `failed` or `already_gone` is put back if no row stands: the delete may have been this run's.

    Args:
        archives: of those that hold the same row, the first decides.
        choice: which rows.
        put: puts one back; threads share it.
        stop: a request starts no more, and fails what has no answer a few seconds later.

    Raises:
        ConfigurationError: an archive is damaged; nothing was put back.
        ManyRowsError: a name fits rows of several keys; nothing was put back.
        JanitorError: an archive could not be read any further; what was under way until then is settled.
    """
    named = _Named(choice.fingerprints)
    fates = [_fates(archive, named) for archive in archives]
    named.check()
    workers: Workers[_Chosen, Restored] = Workers(lambda chosen: _put_back(chosen, put), _WORKERS, "restore")
    broken_off: JanitorError | None = None
    try:
        try:
            for chosen in _chosen(archives, fates, choice):
                if stop.is_requested():
                    break
                if chosen.was_kept:
                    yield Restored(chosen.planned, chosen.row, CHANGED)
                    continue
                workers.submit(chosen)
                yield from _done(workers, _MOST_PENDING, stop)
        except JanitorError as error:
            broken_off = error
        yield from _done(workers, 0, stop)
    finally:
        workers.end()
    if broken_off is not None:
        raise broken_off


class _Fates(NamedTuple):
    """What an archive says of its rows behind them, by their numbers.

    Attributes:
        kept: those that were never deleted.
        went_as: those that went as another than their line has.
    """

    kept: frozenset[int]
    went_as: Mapping[int, msgspec.Raw]


class _Chosen(NamedTuple):
    planned: PlannedRow
    row: Row
    was_kept: bool


class Planned(NamedTuple):
    """A row's line in an archive, and the dialect that the archive says its table is of."""

    planned: PlannedRow
    dialect: str


class _Named:
    """Which rows each name fits, by their keys: an archive may hold both rows of a token, and several one row twice."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rows: dict[str, dict[bytes, Planned]] = {name: {} for name in names}

    def see(self, planned: PlannedRow, dialect: str) -> None:
        for name, rows in self._rows.items():
            if len(rows) <= MOST_FOUND and fits_row(name, planned):
                rows.setdefault(digest_of(row_of(planned.item)), Planned(planned, dialect))

    def check(self) -> None:
        for name, rows in self._rows.items():
            if len(rows) > 1:
                raise ManyRowsError(name, list(rows.values()))


def _fates(archive: PlanReader, named: _Named) -> _Fates:
    """Read an archive to its end, which also shows whether it is whole: outcomes stand behind their rows."""
    kept, went_as = set(), {}
    for entry in archive.entries_once():
        if isinstance(entry, PlannedRow):
            named.see(entry, archive.header.policy.dialect)
        else:
            if entry.outcome in _KEPT:
                kept.add(entry.row)
            if entry.item is not msgspec.UNSET:
                went_as[entry.row] = entry.item
    return _Fates(frozenset(kept), went_as)


def _chosen(archives: Sequence[PlanReader], fates: Sequence[_Fates], choice: RestoreChoice) -> Iterator[_Chosen]:
    # Digests, because an archive may be large; one alone holds no row twice.
    seen: set[bytes] = set()
    for archive, fate in zip(archives, fates, strict=True):
        for planned in archive.rows():
            item = fate.went_as.get(planned.row, planned.item)
            row = row_of(item)
            if not choice.takes(planned, row):
                continue
            if len(archives) > 1:
                digest = digest_of(row)
                if digest in seen:
                    continue
                seen.add(digest)
            yield _Chosen(msgspec.structs.replace(planned, item=item), row, planned.row in fate.kept)


def _put_back(chosen: _Chosen, put: Put) -> Restored:
    try:
        was_put = put(chosen.planned, chosen.row)
    except JanitorError as error:
        log.error("restore.failed", code=error.code, error=str(error))  # noqa: TRY400
        return Restored(chosen.planned, chosen.row, FAILED, error)
    return Restored(chosen.planned, chosen.row, RESTORED if was_put else STANDS)


def _done(workers: Workers[_Chosen, Restored], most: int, stop: Stop) -> Iterator[Restored]:
    while workers.pending > most:
        done = workers.done(WAKE_SECONDS)
        if done is not None:
            yield done[1]
        elif stop.is_over(LAST_SECONDS):
            for chosen in workers.give_up():
                error = JanitorError(
                    "some puts were not answered before the run had to end", "run it again", "no-answer"
                )
                yield Restored(chosen.planned, chosen.row, FAILED, error)
