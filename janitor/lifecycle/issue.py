"""Issue a token: write its row, then print it. If nobody gets the token, its row is removed again.

row ──PutItem, where none has its key──> table ──then──> token on standard output
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from janitor.archive.archive import NoArchive
from janitor.archive.plan import PlanHeader
from janitor.dynamodb.add_row import RowAdder, UnknownOutcomeError
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.find import StoredItem
from janitor.errors import JanitorError
from janitor.lifecycle.add_messages import describe_new_token, print_message
from janitor.lifecycle.new_token import print_token
from janitor.lifecycle.obstacles import make_key_taken_error
from janitor.lifecycle.remove import RowRemover
from janitor.lifecycle.selection import TokenTable
from janitor.logs import get_logger
from janitor.stopping import Stop
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.fingerprint import compute_token_fingerprint, make_row_name
from janitor.tokens.new_row import Grant, make_row
from janitor.tokens.printable import printable
from janitor.tokens.row import decode_row

log = get_logger("janitor.token")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that can be issued.

    Attributes:
        bearer: the bearer token.
        item: its row, as DynamoDB JSON.
        fingerprint: the token's fingerprint.
        row_name: names this row alone; a legacy row of the same token may stand beside it.
        grant: what the row says besides key and expiration; None in a classic table.
        expires: the UNIX second of its expiry; None for never.
        workbench: why MCP Workbench accepts the token although its table is hashed, in words; None if it does not.
    """

    bearer: str = field(repr=False)
    item: bytes = field(repr=False)
    fingerprint: str
    row_name: str
    grant: Grant | None
    expires: int | None
    workbench: str | None = None

    @classmethod
    def of(
        cls,
        bearer: str,
        key: str,
        expires: int | None,
        grant: Grant | None,
        table: TokenTable,
        *,
        workbench: str | None = None,
    ) -> "NewToken":
        """Make the row of this token, whose key in this table is `key`, and its names."""
        item = make_row(key, expires, grant)
        fingerprint = compute_token_fingerprint(bearer, table.fingerprint_key)
        return cls(
            bearer=bearer,
            item=item,
            fingerprint=fingerprint,
            row_name=make_row_name(decode_row(item), fingerprint, table.fingerprint_key),
            grant=grant,
            expires=expires,
            workbench=workbench,
        )

    def print_summary(self, table: TokenTable, facts: Mapping[str, str], *, is_dry_run: bool) -> None:
        """Print on stderr what was added, or would be: standard output is for the token alone.

        Args:
            table: where it is added.
            facts: what else there is to say, by a word for it.
            is_dry_run: whether nothing was written.
        """
        row, located = decode_row(self.item), table.opened.table
        title = "Would add a token" if is_dry_run else f"Added token {self.fingerprint}"
        new = describe_new_token(
            row,
            self.grant,
            located,
            expires=self.expires,
            now=table.now,
            is_dry_run=is_dry_run,
            workbench=self.workbench,
        )
        lines = [f"  {name:10}  {printable(text)}" for name, text in {**facts, **new}.items()]
        print_message("\n".join([f"{title} to {located.name} ({located.dialect})", *lines]))


class TokenIssuer:
    """Writes the row of a new token, and prints the token once."""

    def __init__(self, table: TokenTable, header: PlanHeader, stop: Stop) -> None:
        """Prepare; nothing is sent or written.

        Args:
            table: where the row is written.
            header: says by which rules, and when, a row is removed again.
            stop: says whether the run was asked to stop.
        """
        self._table = table
        self._header = header
        self._adder = RowAdder(table.opened.aws.dynamodb, table.name)
        self._deleter = Deleter(table.opened.aws.dynamodb, table.name, api="auto", pause=stop.pause)

    def issue(self, new: NewToken, *, is_printed: bool) -> None:
        """Write the row, then print the token, unless its owner has it already.

        Raises:
            ConfigurationError: a row with its key stands; it was left alone.
            UnknownOutcomeError: nobody can tell whether the row was written; the token was not printed.
            JanitorError: the row could not be written, or nobody read the token and the row was removed again.
        """
        self._write(new)
        log.info("token.added", table=self._table.name, fingerprint=new.fingerprint, expires=new.expires)
        if is_printed:
            try:
                print_token(new.bearer)
            except OSError as error:
                self._undo_unread(new, error)

    def _write(self, new: NewToken) -> None:
        name = new.row_name
        way_out = f"check with `janitor token show {name}`, and remove it with `janitor token remove {name}`"
        try:
            standing = self._adder.add(new.item)
        except UnknownOutcomeError as error:
            raise UnknownOutcomeError(error.sentence, way_out) from None
        except JanitorError:
            raise
        except BaseException:
            # A second signal, while the first waits for the end of this.
            sentence = f"interrupted while token {name} was added to {self._table.name}, so its row may be there"
            print_message(f"janitor: {sentence}; {way_out}")
            raise
        if standing is not None:
            raise make_key_taken_error(StoredItem(decode_row(standing), standing), self._table)

    def _undo_unread(self, new: NewToken, error: OSError) -> NoReturn:
        """Remove the row again, because nobody got its token; raise what happened."""
        name = new.row_name
        cause = f"the token could not be written to standard output ({error.strerror})"
        if self._remove_again(StoredItem(decode_row(new.item), new.item)):
            raise JanitorError(f"{cause}, so its row {name} was removed again", "run it again", "no-reader") from None
        way_out = f"remove it with `janitor token remove {name}`"
        raise JanitorError(f"{cause}, and its row {name} is still in the table", way_out, "no-reader") from None

    def _remove_again(self, found: StoredItem) -> bool:
        """Delete a row that was just added and whose token nobody has; return whether it is gone."""
        remover = RowRemover(
            deleter=self._deleter,
            archive=NoArchive(),
            header=self._header,
            policy=self._table.policy,
            fingerprint_key=self._table.fingerprint_key,
        )
        try:
            result = remover.remove_one(found)
        except JanitorError as error:
            print_message(f"janitor: {error}")
            return False
        return result.outcome in {DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE}
