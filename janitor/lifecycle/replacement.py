"""The rows that `token add --replace-expired` deletes: expired ones in its way."""

from collections.abc import Iterable

from janitor.archive.plan import PlanHeader
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.find import StoredItem
from janitor.errors import AwsError
from janitor.lifecycle.add_messages import print_message
from janitor.lifecycle.remove import RowRemover
from janitor.lifecycle.selection import TokenTable
from janitor.settings.token_add import ReplaceSettings
from janitor.stopping import Stop
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.wiring.archives import make_archive

_GONE = (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE)


class RowReplacer:
    """Deletes rows of one table before an add, each only if it still is as it was seen."""

    def __init__(self, table: TokenTable, settings: ReplaceSettings, header: PlanHeader, stop: Stop) -> None:
        """Prepare; nothing is sent or written.

        Args:
            table: where the rows are.
            settings: where deleted rows are archived.
            header: the first line of the archive.
            stop: says whether the run was asked to stop.
        """
        self._table = table
        self._header = header
        self._archive = make_archive(settings, table.opened, header, stop)
        self._deleter = Deleter(table.opened.aws.dynamodb, table.name, api="auto", pause=stop.pause)

    def make_room(self, rows: Iterable[StoredItem]) -> str | None:
        """Archive and delete these expired rows, and report on each on stderr.

        Returns:
            the location of the archive; None if there is none.

        Raises:
            JanitorError: a row was changed since it was seen, or could not be archived or deleted.
        """
        remover = RowRemover(
            deleter=self._deleter,
            archive=self._archive,
            header=self._header,
            policy=self._table.policy,
            fingerprint_key=self._table.fingerprint_key,
        )
        remover.open()
        try:
            for found in rows:
                self._remove(remover, found)
        finally:
            remover.close()
            for error in remover.errors:
                print_message(f"janitor: {error}")
        return self._archive.location

    def _remove(self, remover: RowRemover, found: StoredItem) -> None:
        name = self._table.finding(found).row_name
        result = remover.remove(found)
        if result.outcome in _GONE:
            archived = f"archived in {self._archive.location}" if self._archive.location else "not archived"
            verb = "removed" if result.outcome is DeletionOutcome.DELETED else "already gone"
            print_message(f"janitor: the expired token {name} is {verb}, and {archived}")
            return
        if result.outcome is DeletionOutcome.CHANGED:
            raise AwsError(f"the expired token {name} was changed in between, so nothing was added", "run it again")
        raise AwsError(f"the expired token {name} could not be removed ({result.code}), so nothing was added")
