"""Choose rows of archives, for a restore: by name, by owner, or all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from janitor.archive.plan import PlannedRow
from janitor.archive.plan_reader import PlanReader, ReadRow, hash_key
from janitor.errors import ConfigurationError
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.row import Row, decode_row, text_of
from janitor.tokens.user_name import normalize_name

MAX_LISTED = 20

# janitor never deleted a row with one of these outcomes.
_NOT_DELETED = frozenset({DeletionOutcome.CHANGED, DeletionOutcome.PLANNED})


@dataclass(frozen=True, slots=True)
class RestoreChoice:
    """Which rows to restore.

    Attributes:
        names: those with one of these names: a fingerprint, its first digits, or a row name.
        users: those of these owners.
        all: every row.
    """

    names: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    all: bool = False

    def includes(self, planned: PlannedRow, row: Row) -> bool:
        """Whether the row is one of them."""
        is_named = any(_is_named(name, planned) for name in self.names)
        owner = text_of(row.username)
        is_of_user = owner is not None and normalize_name(owner) in map(normalize_name, self.users)
        return self.all or is_named or is_of_user


class RestorableRow(NamedTuple):
    """A row to restore.

    Attributes:
        planned: its line in the archive, with the item as it was when it was deleted.
        row: what janitor reads of the item.
        was_deleted: whether janitor deleted it, or may have.
    """

    planned: PlannedRow
    row: Row
    was_deleted: bool


class MatchingRow(NamedTuple):
    """A row that a name matches, and the dialect of its table."""

    read: ReadRow
    dialect: str


class ManyRowsError(ConfigurationError):
    """A name matches several rows of the archives, so that nobody can tell which one is meant.

    Attributes:
        rows: the matching rows, at most 20.
    """

    default_code = "ambiguous-token"

    def __init__(self, name: str, rows: Sequence[MatchingRow]) -> None:
        number = f"more than {MAX_LISTED}" if len(rows) > MAX_LISTED else f"{len(rows)}"
        super().__init__(
            f"{number} rows of the archive have the fingerprint {name}, so nothing was put back",
            "give the name of one of those above, its first column",
        )
        self.rows = rows[:MAX_LISTED]


def choose_archived_rows(archives: Sequence[PlanReader], choice: RestoreChoice) -> Iterator[RestorableRow]:
    """Read the archives to their ends, then return an iterator over the chosen rows, which reads them again.

    Args:
        archives: if several hold the same row, the first of them decides.
        choice: which rows.

    Raises:
        ConfigurationError: an archive is damaged.
        ManyRowsError: a name matches rows with different keys.
        JanitorError: while iterating: an archive could not be read any further.
    """
    matches = _NameMatches(choice.names)
    outcomes = [_read_outcomes(archive, matches) for archive in archives]
    matches.check_unambiguous()
    return _iterate_chosen(archives, outcomes, choice)


def _is_named(name: str, planned: PlannedRow) -> bool:
    """Whether a fingerprint, the first digits of one, or a row name names this row."""
    return planned.fingerprint.startswith(name) or planned.row_name == name


class _ArchiveOutcomes(NamedTuple):
    """What an archive says became of its rows, by their numbers. Outcomes follow the rows.

    Attributes:
        not_deleted: the rows that were never deleted.
        items: the items of rows that had changed by the time they were deleted.
    """

    not_deleted: frozenset[int]
    items: Mapping[int, msgspec.Raw]


class _NameMatches:
    """Which rows each name matches, one per key: an archive may hold a row twice, or both rows of a token."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rows: dict[str, dict[bytes, MatchingRow]] = {name: {} for name in names}

    def add(self, read: ReadRow, dialect: str) -> None:
        for name, rows in self._rows.items():
            if len(rows) <= MAX_LISTED and _is_named(name, read.planned):
                rows.setdefault(hash_key(read.row), MatchingRow(read, dialect))

    def check_unambiguous(self) -> None:
        for name, rows in self._rows.items():
            if len(rows) > 1:
                raise ManyRowsError(name, list(rows.values()))


def _read_outcomes(archive: PlanReader, matches: _NameMatches) -> _ArchiveOutcomes:
    """Read an archive to its end, which also shows whether it is complete."""
    not_deleted, items = set(), {}
    for entry in archive.unique_entries():
        if isinstance(entry, ReadRow):
            matches.add(entry, archive.header.policy.dialect)
        else:
            if entry.outcome in _NOT_DELETED:
                not_deleted.add(entry.number)
            if entry.item is not msgspec.UNSET:
                items[entry.number] = entry.item
    return _ArchiveOutcomes(frozenset(not_deleted), items)


def _iterate_chosen(
    archives: Sequence[PlanReader], outcomes: Sequence[_ArchiveOutcomes], choice: RestoreChoice
) -> Iterator[RestorableRow]:
    # Digests, because an archive may be large. A single archive holds no row twice.
    seen: set[bytes] = set()
    for archive, of_archive in zip(archives, outcomes, strict=True):
        for planned, read_row in archive.rows():
            item = of_archive.items.get(planned.number)
            row = read_row if item is None else decode_row(item)
            if not choice.includes(planned, row):
                continue
            if len(archives) > 1:
                digest = hash_key(row)
                if digest in seen:
                    continue
                seen.add(digest)
            was_deleted = planned.number not in of_archive.not_deleted
            restorable = planned if item is None else msgspec.structs.replace(planned, item=item)
            yield RestorableRow(restorable, row, was_deleted)
