"""`token remove`: a question, an archive, and rows that go."""

from functools import partial

import click

from janitor.archive.archive import Archive
from janitor.archive.plan import Header
from janitor.background import answer_of
from janitor.dynamodb.delete import Deleter, Settled
from janitor.dynamodb.find import FoundItem
from janitor.errors import ExitCode, SinkError
from janitor.lifecycle.change import (
    NO_ANSWER,
    Act,
    Done,
    Telling,
    changed_in_between,
    each_done,
    was,
)
from janitor.lifecycle.remove import Removal
from janitor.lifecycle.selection import TableInUse, choice_of, reached_place, say_rows
from janitor.report.token_change import ChangeOutcome
from janitor.settings.token_change import ChangeCommand, RemoveSettings
from janitor.stopping import LAST_SECONDS, Stop
from janitor.tokens.classify import classify
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.protection import protected_by
from janitor.tokens.words import counted
from janitor.wiring.archives import archive_for, check_archive
from janitor.wiring.confirm import NO_TERMINAL, WAY_OUT, NotConfirmedError, can_ask, confirm
from janitor.wiring.plan_header import header_of
from janitor.wiring.running import prepared


def removed(name: str | None, removing: RemoveSettings, settings: ChangeCommand, run_id: str, stop: Stop) -> int:
    """Remove the chosen rows, and say what became of each.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or none is there, or several are; or a setting is wrong.
        NotConfirmedError: nobody said yes.
        AwsError: AWS refused or could not be reached.
        SinkError: the archive cannot be written.
    """
    check_archive(removing)
    choice = choice_of(name, settings.chosen.user)
    place = prepared(lambda: reached_place(settings, stop), stop)
    found = prepared(lambda: choice.find(place), stop)
    telling = Telling("token remove", settings.chosen, place)
    is_listed = telling.list_first(found, choice.user)
    going = [each for each in found if protected_by(each.row, place.policy) is None]
    if settings.chosen.dry_run or not going:
        each_done(found, partial(_for_show, place), telling, stop)
        return telling.end(stop)
    _confirm(going, place, removing, stop, is_listed=is_listed)
    header = header_of(place.reached.table, place.policy, run_id, place.now, None)
    archive = archive_for(removing, place.reached, header, stop)
    removal = _removal(archive, header, place, stop)
    removal.open()
    try:
        each_done(found, _for_real(removal, place, stop), telling, stop)
    finally:
        removal.close()
    code = telling.end(stop, archive.location)
    for error in removal.errors:
        click.echo(f"janitor: {error}", err=True)
    return ExitCode.FAILED if removal.errors and code == ExitCode.DONE else code


def _confirm(
    going: list[FoundItem], place: TableInUse, settings: RemoveSettings, stop: Stop, *, is_listed: bool
) -> None:
    """Ask whoever sits at the terminal, unless --yes was given."""
    if settings.yes:
        return
    if not can_ask():
        raise NotConfirmedError(f"nothing was removed: {NO_TERMINAL}", WAY_OUT)
    if not is_listed:
        say_rows(going, place)
    accepted = sum(bool(classify(each.row, place.earliest, place.policy).accepted_by) for each in going)
    still = f", {accepted:,} of them still accepted by LISA" if accepted else ""
    confirm(f"Delete {counted(len(going), 'token')} of {place.reached.table.name}{still}?", "nothing was removed", stop)


def _removal(archive: Archive, header: Header, place: TableInUse, stop: Stop) -> Removal:
    deleter = Deleter(
        place.reached.aws.dynamodb,
        place.reached.table.name,
        api="auto",
        pause=stop.pause,
    )
    return Removal(deleter=deleter, archive=archive, header=header, policy=place.policy, secret=place.secret)


def _for_show(place: TableInUse, found: FoundItem) -> Done:
    return _protected(found, place) or Done(ChangeOutcome.PLANNED, was(found.row, place))


def _for_real(removal: Removal, place: TableInUse, stop: Stop) -> Act:
    def act(found: FoundItem) -> Done:
        protected = _protected(found, place)
        if protected is not None:
            return protected
        try:
            settled = answer_of(lambda: removal.remove(found), lambda: stop.is_over(LAST_SECONDS))
        except SinkError as error:
            return Done.failed(ChangeOutcome.FAILED, f"{error}; so it was not deleted")
        return _done(found, settled, place)

    return act


def _protected(found: FoundItem, place: TableInUse) -> Done | None:
    by = protected_by(found.row, place.policy)
    return None if by is None else Done.refused(f"it is protected ({by})")


def _done(found: FoundItem, settled: Settled | None, place: TableInUse) -> Done:
    if settled is None:
        return Done.failed(ChangeOutcome.FAILED, NO_ANSWER)
    match settled.outcome:
        case DeletionOutcome.DELETED:
            return Done(ChangeOutcome.DELETED, was(found.row, place))
        case DeletionOutcome.ALREADY_GONE:
            return Done(ChangeOutcome.ALREADY_GONE, "it is gone: by this command, or by somebody else in between")
        case DeletionOutcome.CHANGED:
            return Done.failed(ChangeOutcome.CHANGED, changed_in_between(found, place))
        case _:
            return Done.failed(ChangeOutcome.FAILED, f"it could not be deleted ({settled.code})")
