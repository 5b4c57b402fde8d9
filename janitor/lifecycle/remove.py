"""Rows that somebody named, removed at once: each archived first, then deleted on condition.

found ──durable──> archive ──DeleteItem, as it was seen──> outcome ──> archive
"""

import msgspec

from janitor.archive.archive import Archive, Settlement
from janitor.archive.plan import UNKNOWN, Header, PlannedRow
from janitor.dynamodb.delete import Deleter, Settled
from janitor.dynamodb.find import FoundItem
from janitor.dynamodb.target import Target
from janitor.errors import JanitorError, SinkError
from janitor.logs import get_logger
from janitor.tokens.classify import classify
from janitor.tokens.fingerprint import fingerprint, row_name
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy

log = get_logger("janitor.delete")


class Removal:
    """Removes rows one after the other, and keeps them all in one archive.

    Attributes:
        errors: what went wrong besides rows that did not go: above all, outcomes that the archive lacks.
    """

    def __init__(
        self, *, deleter: Deleter, archive: Archive, header: Header, policy: Policy, secret: bytes | None = None
    ) -> None:
        """Prepare; nothing is sent or written.

        Args:
            deleter: deletes.
            archive: where the rows are kept; it is not open yet.
            header: its first line.
            policy: the rules by which the rows were seen.
            secret: the key of the fingerprints; None for plain ones.
        """
        self.errors: list[JanitorError] = []
        self._deleter = deleter
        self._archive = archive
        self._header = header
        self._policy = policy
        self._secret = secret

    def open(self) -> None:
        """Open the archive, which proves that it can be written.

        Raises:
            SinkError: it cannot.
        """
        self._archive.open(self._header)

    def remove(self, found: FoundItem) -> Settled:
        """Archive a row, then delete it if it still is as it was seen.

        Returns:
            the outcome: `deleted`, `changed`, `already_gone` or `failed`.

        Raises:
            SinkError: the archive could not take the row, so nothing was deleted.
        """
        name = fingerprint(found.row, self._policy.dialect, self._secret)
        state = classify(found.row, self._header.now, self._policy).state
        # The archive gives the row its number.
        name_of_row = row_name(found.row, name, self._secret)
        planned = PlannedRow(0, name, name_of_row, state, msgspec.Raw(found.item))
        number = self._archive.store([planned])
        result = self._deleter.delete([Target.as_seen(found.item, self._policy)])
        if result.fatal is not None:
            self.errors.append(result.fatal)
        [settled] = result.settled
        log.info("token.removed", row_name=name_of_row, outcome=settled.outcome, code=settled.code)
        self._write_down(Settlement(number, name, settled.outcome, settled.item))
        return settled

    def close(self) -> None:
        """Close the archive. Never raises: what was deleted was."""
        try:
            # It is no scan's, so there is no table behind it for a guard to judge.
            self._archive.close(UNKNOWN)
        except SinkError as error:
            self._archive.abandon()
            self._fail(error)

    def _write_down(self, settlement: Settlement) -> None:
        try:
            self._archive.settle([settlement])
        except SinkError as error:
            self._fail(error)

    def _fail(self, error: SinkError) -> None:
        log.error("archive.incomplete", code=error.code, error=str(error))
        sentence = f"{error}; the rows are in it, what became of them is not"
        self.errors.append(SinkError(sentence, code=error.code))


def remove(
    found: FoundItem, *, deleter: Deleter, archive: Archive, header: Header, policy: Policy, secret: bytes | None = None
) -> Settled:
    """Remove one row: archived durably first, then deleted if it still is as it was seen; `Removal` has the arguments.

    Raises:
        SinkError: the archive cannot be written, so nothing was deleted.
        JanitorError: DynamoDB refused to delete the row, or could not be reached.
    """
    removal = Removal(deleter=deleter, archive=archive, header=header, policy=policy, secret=secret)
    removal.open()
    try:
        settled = removal.remove(found)
    except SinkError:
        archive.abandon()
        raise
    removal.close()
    if settled.outcome is DeletionOutcome.FAILED and removal.errors:
        raise removal.errors[0]
    return settled
