"""A part of what may be deleted: the rows that `--user` and `--fingerprint` name. All others stay as they are."""

from collections.abc import Iterable, Sequence

import msgspec

from janitor.tokens.row import Row, text_of
from janitor.tokens.user_name import matches_pattern


class Narrowing(msgspec.Struct, frozen=True):
    """Which rows a sweep is limited to. It makes no row deletable; without patterns it leaves out none.

    Attributes:
        users: shell patterns of owners: a row's owner has to match one of them.
        fingerprints: shell patterns of fingerprints and row names: one of a row's two names has to match one of them.
        within: that of the plan whose rows are carried out, in which there were no others; a row's owner has to match
            it too. Its fingerprints are not compared again: a run with another --fingerprint-key-file has others.
    """

    users: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    within: "Narrowing | None" = None

    def __bool__(self) -> bool:
        """Whether there are any patterns."""
        return bool(self.users or self.fingerprints or self.within)

    @property
    def names_owners(self) -> bool:
        """Whether it depends on a row's owner, whom the row may lose after it was planned."""
        return bool(self.users) or (self.within is not None and self.within.names_owners)

    def includes(self, row: Row, fingerprint: str, row_name: str) -> bool:
        """Whether the row may go. If patterns of both kinds are given, it has to match one of each."""
        is_named = not self.fingerprints or _matches_any([fingerprint, row_name], self.fingerprints)
        return is_named and self.includes_owner(text_of(row.username))

    def includes_owner(self, owner: str | None) -> bool:
        """Whether rows of this owner may go; None for a row without owner."""
        is_of_user = not self.users or (owner is not None and _matches_any([owner], self.users))
        return is_of_user and (self.within is None or self.within.includes_owner(owner))

    def find_unmatched(self, rows: Iterable[tuple[Row, str, str]]) -> "Narrowing":
        """Find the patterns that match none of these rows, each given with its fingerprint and its row name."""
        users, fingerprints = self.users, self.fingerprints
        for row, fingerprint, row_name in rows:
            owner = text_of(row.username)
            users = tuple(each for each in users if owner is None or not matches_pattern(owner, each))
            fingerprints = tuple(each for each in fingerprints if not _matches_any([fingerprint, row_name], [each]))
            if not users and not fingerprints:
                break
        return Narrowing(users, fingerprints)


NO_NARROWING = Narrowing()


def _matches_any(texts: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(matches_pattern(text, pattern) for text in texts for pattern in patterns)
