"""`token extend`, `token revoke`, `token remove`, from the rows that were chosen to what is said of each."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import click

from janitor.background import answer_of
from janitor.dynamodb.find import FoundItem
from janitor.dynamodb.set_expiration import Expirations, Updated, UpdateOutcome
from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.lifecycle.selection import TableInUse, say_rows
from janitor.logs import get_logger
from janitor.report.encode import json_page
from janitor.report.model import TablePart
from janitor.report.token_change import ChangeOutcome, Command, RowChange, TokenChange, line
from janitor.settings.token_change import ChosenSettings
from janitor.stopping import LAST_SECONDS, Stop
from janitor.tokens.classify import classify
from janitor.tokens.expiration import moment
from janitor.tokens.new_expiry import Decision, NewExpiry, Refused, Unchanged, expiry_words, time_and_distance
from janitor.tokens.printable import printable
from janitor.tokens.row import Row
from janitor.tokens.words import counted

log = get_logger("janitor.token")

_WRITTEN = frozenset({ChangeOutcome.EXTENDED, ChangeOutcome.REVOKED, ChangeOutcome.DELETED})
NO_ANSWER = "no answer came before the command had to end: it may be done or not"


class Done(NamedTuple):
    """What became of a row.

    Attributes:
        outcome: that.
        why: what it was before and is now, or why nothing was done.
        second: the new expiry, where one was written or would be.
        code: what it makes of the exit code.
    """

    outcome: ChangeOutcome
    why: str
    second: int | None = None
    code: ExitCode = ExitCode.DONE

    @classmethod
    def failed(cls, outcome: ChangeOutcome, why: str) -> "Done":
        """Something went wrong, or somebody else was faster."""
        return cls(outcome, why, code=ExitCode.FAILED)

    @classmethod
    def refused(cls, why: str, code: ExitCode = ExitCode.REFUSED) -> "Done":
        """A guard, or with USAGE a rule, is against it."""
        return cls(ChangeOutcome.REFUSED, why, code=code)


Act = Callable[[FoundItem], Done]


class Telling:
    """Says what becomes of each row, in lines as they are done or in one JSON object at the end."""

    def __init__(self, command: Command, chosen: ChosenSettings, place: TableInUse) -> None:
        self._command = command
        self._chosen = chosen
        self._place = place
        self._rows: list[RowChange] = []
        self._codes: set[ExitCode] = set()
        self._unwritten: OSError | None = None
        self.is_json = (chosen.format or ("table" if sys.stdout.isatty() else "json")) == "json"

    def list_first(self, found: Sequence[FoundItem], user: str | None) -> bool:
        """List the rows on stderr before anything is done to them, where an owner's name chose them; whether it did."""
        if user is None:
            return False
        with self._written():
            click.echo(
                f"{counted(len(found), 'token')} of {printable(user)} in {self._place.reached.table.name}:", err=True
            )
            say_rows(found, self._place)
        return self._unwritten is None

    def tell(self, found: FoundItem, done: Done) -> None:
        """Count a row, and say what became of it."""
        when = moment(done.second) if done.second is not None else None
        change = RowChange(
            token=self._place.finding(found), outcome=done.outcome, new_expires_at=when, why=printable(done.why)
        )
        self._rows.append(change)
        self._codes.add(done.code)
        with self._written():
            if done.code is not ExitCode.DONE:
                click.echo(f"janitor: {line(change, self._command)}", err=True)
            elif not self.is_json:
                click.echo(line(change, self._command))

    def end(self, stop: Stop, archive: str | None = None) -> int:
        """Say the rest; the exit code. `archive` is where deleted rows are."""
        if self.is_json:
            with self._written():
                click.echo(json_page(self._whole(archive)).decode())
        if stop.is_requested():
            untouched = sum(row.outcome is ChangeOutcome.UNTOUCHED for row in self._rows)
            count = len(self._rows)
            click.echo(f"janitor: {stop.why} after {count - untouched} of {counted(count, 'token')}", err=True)
            return stop.exit_code
        if self._unwritten is not None:
            with self._written():
                click.echo(
                    f"janitor: {self._done_of()}, but not all of it could be said: {self._unwritten.strerror}", err=True
                )
            return ExitCode.FAILED
        if ExitCode.USAGE in self._codes and any(row.outcome in _WRITTEN for row in self._rows):
            # 2 would say that nothing was done.
            return ExitCode.FAILED
        return next((code for code in (ExitCode.FAILED, ExitCode.USAGE) if code in self._codes), max(self._codes))

    def _done_of(self) -> str:
        done = sum(row.outcome in _WRITTEN for row in self._rows)
        return f"{done:,} of {counted(len(self._rows), 'token')} {'was' if done == 1 else 'were'} changed"

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Whoever was to read it may have gone: what was begun is done all the same, and said at the end."""
        try:
            yield
        except OSError as error:
            self._unwritten = error

    def _whole(self, archive: str | None) -> TokenChange:
        table = self._place.reached.table
        return TokenChange(
            command=self._command,
            dry_run=self._chosen.dry_run,
            table=TablePart(name=table.name, region=table.region, account_id=table.account_id, endpoint=table.endpoint),
            now=moment(self._place.now) or dt.datetime.max.replace(tzinfo=dt.UTC),
            archive=archive,
            rows=self._rows,
        )


def each_done(found: Sequence[FoundItem], act: Act, telling: Telling, stop: Stop) -> None:
    """Do something to each row, one after the other; a request to stop leaves the rest alone."""
    for each in found:
        if stop.is_requested():
            telling.tell(each, Done(ChangeOutcome.UNTOUCHED, "the command was stopped before its turn"))
        else:
            telling.tell(each, act(each))


def expiry_changed(
    outcome: ChangeOutcome, decide: Callable[[Row], Decision], place: TableInUse, stop: Stop, *, is_dry_run: bool
) -> Act:
    """What is done to a row whose expiry `decide` may change; `outcome` is what it is called when it was."""
    expirations = Expirations(place.reached.aws.dynamodb, place.reached.table.name, place.policy)

    def act(found: FoundItem) -> Done:
        match decide(found.row):
            case Unchanged(why):
                return Done(ChangeOutcome.UNCHANGED, why)
            case Refused(why, way_out, needs_yes):
                return Done.refused(f"{why}; {way_out}", ExitCode.REFUSED if needs_yes else ExitCode.USAGE)
            case NewExpiry(second):
                why = f"{was(found.row, place)} -> {time_and_distance(second, place.now)}"
                if is_dry_run:
                    return Done(ChangeOutcome.PLANNED, why, second)
                updated = answer_of(lambda: expirations.set(found, second), lambda: stop.is_over(LAST_SECONDS))
                done = _done(found, updated, Done(outcome, why, second), place)
                log.info("token.expiry", row_name=place.finder.name_of(found), outcome=done.outcome)
                return done

    return act


def was(row: Row, place: TableInUse) -> str:
    """A row's expiry in words."""
    return expiry_words(row, classify(row, place.now, place.policy), place.now)


def differing(seen_row: Row, standing: Row, place: TableInUse) -> str:
    """What somebody else changed of a row in between: the expiry then and now, and the names of what else."""
    said_changes = []
    if seen_row.expiration != standing.expiration:
        said_changes.append(f"its expiry was {was(seen_row, place)}, and is now {was(standing, place)}")
    others = {"token_uuid": "tokenUUID", "hold": "janitorHold", "username": "username", "is_system": "isSystemToken"}
    changed = [called for name, called in others.items() if getattr(seen_row, name) != getattr(standing, name)]
    if changed:
        said_changes.append(f"its {' and '.join(changed)} changed")
    return f"somebody changed it in between: {', '.join(said_changes) or 'it is another row'}; look again"


def changed_in_between(found: FoundItem, place: TableInUse) -> str:
    """The same, from a look at the row as it stands."""
    try:
        standing = place.finder.by_key(found.row.key.S or "")
    except (StopRequestedError, JanitorError):
        standing = None
    return (
        "somebody changed it in between; look again" if standing is None else differing(found.row, standing.row, place)
    )


def _done(found: FoundItem, updated: Updated | None, done: Done, place: TableInUse) -> Done:
    if updated is None:
        return Done.failed(ChangeOutcome.FAILED, NO_ANSWER)
    match updated.outcome:
        case UpdateOutcome.SET:
            return done
        case UpdateOutcome.ALREADY_GONE:
            return Done.failed(ChangeOutcome.ALREADY_GONE, "somebody deleted it in between")
        case UpdateOutcome.CHANGED if updated.standing is not None:
            return Done.failed(ChangeOutcome.CHANGED, differing(found.row, updated.standing, place))
        case _:
            return Done.failed(ChangeOutcome.FAILED, str(updated.error or "nobody could tell why"))
