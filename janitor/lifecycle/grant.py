"""Whose a new token is, and what else its row says in a table of LISA 6.1 or later."""

import uuid

from janitor.dynamodb.caller import IdentifiedAws
from janitor.errors import ConfigurationError, JanitorError
from janitor.settings.setting import flag
from janitor.settings.table import TableSettings
from janitor.settings.token_add import AddCommand
from janitor.tokens.dialect import Dialect
from janitor.tokens.new_row import Grant
from janitor.tokens.redact import gives_away
from janitor.wiring.table import connection_of

# What only a row of LISA 6.1 or later can say.
_HASHED_ONLY = ("user", "name", "group", "system", "created_by")


def grant_for(settings: AddCommand, key: str, dialect: Dialect, now: int) -> Grant | None:
    """What the row says besides key and expiration; None for a classic one.

    Args:
        settings: what was given; and how AWS is asked who makes the token, where that was not.
        key: the row's, which nothing may give away.
        dialect: of the table.
        now: the UNIX second of its making.

    Raises:
        ConfigurationError: too much or too little is given, or it holds a token, or nobody knows who makes it.
    """
    owner = settings.owner
    if dialect is Dialect.CLASSIC:
        _check_nothing_else(settings)
        return None
    if owner.user is None or owner.name is None:
        missing = " and ".join(flag(name) for name in ("user", "name") if getattr(owner, name) is None)
        sentence = f"{missing} must be given: LISA 6.1 and later keeps whose a token is and what it is called"
        raise ConfigurationError(sentence, code="no-owner")
    grant = Grant(
        token_uuid=str(uuid.uuid4()),
        created_date=now,
        created_by=owner.created_by or _caller(settings.table),
        username=owner.user,
        groups=owner.group,
        name=owner.name,
        is_system=owner.system,
    )
    _check_silent(grant, key)
    return grant


def _check_nothing_else(settings: AddCommand) -> None:
    # The variables stay unread: JANITOR_USER and its like are for other commands too.
    given = settings.owner.typed(*_HASHED_ONLY) + settings.replace.typed("replace_expired")
    if given:
        sentence = f"{', '.join(map(flag, given))}: a row of a classic table says nothing but token and expiration"
        raise ConfigurationError(sentence, "go without, or give --dialect hashed if LISA 6.1 or later reads the table")


def _caller(settings: TableSettings) -> str:
    """The last part of the caller's ARN: the user's name, or the session's of a role."""
    aws = IdentifiedAws(connection_of(settings))
    try:
        arn = aws.caller().arn
    except JanitorError as error:
        sentence = f"who makes the token cannot be told: {error.sentence}"
        raise ConfigurationError(sentence, "give --created-by NAME", error.code) from None
    return arn.rpartition("/")[2].rpartition(":")[2]


def _check_silent(grant: Grant, key: str) -> None:
    """See that nothing which is shown to people holds a token.

    Raises:
        ConfigurationError: something does. It is not repeated.
    """
    shown = {
        "user": [grant.username],
        "name": [grant.name],
        "group": list(grant.groups),
        "created_by": [grant.created_by],
    }
    for name, texts in shown.items():
        if any(gives_away(text, key) for text in texts):
            sentence = f"{flag(name)} holds a token, or 40 hex digits and more, which look like one"
            raise ConfigurationError(sentence, "say something that everybody may read", "holds-token")
