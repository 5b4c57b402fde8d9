"""What stands in the way of a new token: a row under its key, or, as in LISA 6.1 and later, any row of its user."""

from janitor.dynamodb.find import FoundItem
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.lifecycle.selection import TableInUse
from janitor.report.text import label
from janitor.tokens.classify import classify
from janitor.tokens.printable import printable
from janitor.tokens.protection import protected_by
from janitor.tokens.words import list_some

# How many rows of one user a sentence names.
_MOST_NAMED = 5


class ProtectedError(JanitorError):
    """What would have to be deleted is protected."""

    exit_code = ExitCode.REFUSED
    default_code = "protected"


def check_key_is_free(key: str, place: TableInUse) -> None:
    """See that no row has this key.

    Raises:
        ConfigurationError: one has.
    """
    found = place.finder.by_key(key)
    if found is not None:
        raise key_is_taken(found, place)


def key_is_taken(found: FoundItem, place: TableInUse) -> ConfigurationError:
    """What to say where a row of the very token stands."""
    name = place.finding(found).row_name
    sentence = f"{place.reached.table.name} has this token already: {_said(found, place)}"
    return ConfigurationError(sentence, f"see `janitor token extend {name}`, or add another token", "token-exists")


def rows_to_replace(user: str, place: TableInUse, *, replaces_expired: bool) -> list[FoundItem]:
    """The rows that have to go before the user can have a new token.

    LISA counts every row of the name, expired ones and those of system tokens too (lambda/api_tokens/handler.py at
    v6.6.0, `_get_user_token`).

    Args:
        user: who is to have the token.
        place: where.
        replaces_expired: whether rows may go that have expired and that no gate accepts.

    Raises:
        ConfigurationError: there are rows that may not go.
        ProtectedError: one of them is protected.
    """
    rows = rows_of(user, place)
    living = [each for each in rows if not _is_over(each, place)]
    if living or (rows and not replaces_expired):
        raise _user_has(user, rows, living, place, replaces_expired=replaces_expired)
    for each in rows:
        protection = protected_by(each.row, place.policy)
        if protection is not None:
            sentence = f"{_said(each, place)} is protected ({printable(protection)}), so it is not replaced"
            raise ProtectedError(sentence, "ask whoever protects it")
    return rows


def rows_of(user: str, place: TableInUse) -> list[FoundItem]:
    """Every row of the user, each read again, for the index may still show one that has just gone."""
    again = [place.finder.by_key(each.row.key.S or "") for each in place.finder.by_user(user)]
    return [found for found in again if found is not None]


def describe_rows(rows: list[FoundItem], place: TableInUse) -> str:
    """Rows by their names, and what each of them is."""
    return list_some([_said(each, place) for each in rows[:_MOST_NAMED]], _MOST_NAMED, total=len(rows))


def _said(found: FoundItem, place: TableInUse) -> str:
    finding = place.finding(found)
    return f"{finding.row_name} ({label(finding)}, {finding.state}: {printable(finding.meaning)})"


def _is_over(found: FoundItem, place: TableInUse) -> bool:
    """Whether the row has a date that is over, and is dead everywhere: a malformed date is none."""
    verdict = classify(found.row, place.earliest, place.policy)
    return not verdict.accepted_by and verdict.expiry is not None and verdict.expiry <= place.earliest


def _user_has(
    user: str, rows: list[FoundItem], living: list[FoundItem], place: TableInUse, *, replaces_expired: bool
) -> ConfigurationError:
    sentence = f"{printable(user)} has a token already, and LISA allows one: {describe_rows(rows, place)}"
    if living:
        name = place.finding(living[0]).row_name
        why = "--replace-expired is for what has expired and no gate accepts; " if replaces_expired else ""
        way_out = f"{why}see `janitor token extend {name}`, or remove it with `janitor token remove {name}`"
    else:
        way_out = "give --replace-expired to have it deleted first"
    return ConfigurationError(sentence, way_out, "user-has-token")
