"""Rows that make room for a new token, and a new row that nobody got the token of: deleted."""

from collections.abc import Iterable

from janitor.archive.archive import NoArchive
from janitor.archive.plan import Header
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.find import FoundItem
from janitor.errors import AwsError, JanitorError
from janitor.lifecycle.added_text import say
from janitor.lifecycle.remove import Removal, remove
from janitor.lifecycle.selection import TableInUse
from janitor.settings.token_add import ReplaceSettings
from janitor.stopping import Stop
from janitor.tokens.outcome import DeletionOutcome
from janitor.wiring.archives import archive_for

_GONE = (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE)


class Replacing:
    """Deletes rows of one table around an add, on the condition that each still is as it was seen."""

    def __init__(self, place: TableInUse, settings: ReplaceSettings, header: Header, stop: Stop) -> None:
        """Prepare; nothing is sent or written.

        Args:
            place: the table, and how its rows are judged.
            settings: where rows are kept.
            header: the first line of their archive.
            stop: who may ask for an early end.
        """
        self._place = place
        self._header = header
        self._archive = archive_for(settings, place.reached, header, stop)
        self._deleter = Deleter(
            place.reached.aws.dynamodb,
            place.reached.table.name,
            api="auto",
            pause=stop.pause,
        )

    def make_room(self, rows: Iterable[FoundItem]) -> str | None:
        """Archive and delete these rows, and say so on stderr.

        Returns:
            where they are kept; None for nowhere.

        Raises:
            JanitorError: one is not as it was seen any more, or could not be archived or deleted.
        """
        removal = Removal(
            deleter=self._deleter,
            archive=self._archive,
            header=self._header,
            policy=self._place.policy,
            secret=self._place.secret,
        )
        removal.open()
        try:
            for found in rows:
                self._remove(removal, found)
        finally:
            removal.close()
            for error in removal.errors:
                say(f"janitor: {error}")
        return self._archive.location

    def take_back(self, found: FoundItem) -> bool:
        """Delete a row that was just added, and that nobody has the token of; whether it is gone."""
        try:
            settled = remove(
                found,
                deleter=self._deleter,
                archive=NoArchive(),
                header=self._header,
                policy=self._place.policy,
                secret=self._place.secret,
            )
        except JanitorError as error:
            say(f"janitor: {error}")
            return False
        return settled.outcome in _GONE

    def _remove(self, removal: Removal, found: FoundItem) -> None:
        name = self._place.finding(found).row_name
        settled = removal.remove(found)
        if settled.outcome in _GONE:
            where = f", and kept in {self._archive.location}" if self._archive.location else ", and kept nowhere"
            what = "removed" if settled.outcome is DeletionOutcome.DELETED else "already gone"
            say(f"janitor: the expired token {name} is {what}{where}")
            return
        if settled.outcome is DeletionOutcome.CHANGED:
            raise AwsError(f"the expired token {name} was changed in between, so nothing was added", "look at it again")
        raise AwsError(f"the expired token {name} could not be removed ({settled.code}), so nothing was added")
