"""What the row of a new token says besides key and expiration in a table of LISA 6.1 or later: its owner, its name."""

import uuid

from janitor.dynamodb.caller import IdentifiedSession
from janitor.errors import ConfigurationError, JanitorError
from janitor.settings.setting import flag
from janitor.settings.table import TableSettings
from janitor.settings.token_add import AddCommand
from janitor.tokens.dialect import Dialect
from janitor.tokens.new_row import Grant
from janitor.tokens.redact import reveals_token
from janitor.wiring.open_table import make_aws_access

# Options for what only a row of LISA 6.1 or later can say.
_HASHED_OPTIONS = ("user", "name", "group", "system", "created_by")


def make_grant(settings: AddCommand, key: str, dialect: Dialect, now: int) -> Grant | None:
    """Make what the row says besides key and expiration; None in a classic table.

    Args:
        settings: the options. Without --created-by, AWS is asked who creates the token.
        key: the row's key, which no text of it may reveal.
        dialect: the table's dialect.
        now: the UNIX second of its creation.

    Raises:
        ConfigurationError: too much or too little is given, or a text holds a token, or the creator is not known.
    """
    owner = settings.owner
    if dialect is Dialect.CLASSIC:
        _refuse_hashed_options(settings)
        return None
    if owner.user is None or owner.name is None:
        missing = " and ".join(flag(name) for name in ("user", "name") if getattr(owner, name) is None)
        sentence = f"{missing} must be given: LISA 6.1 and later stores a token's owner and name"
        raise ConfigurationError(sentence, code="no-owner")
    grant = Grant(
        token_uuid=str(uuid.uuid4()),
        created_date=now,
        created_by=owner.created_by or _find_caller_name(settings.table),
        username=owner.user,
        groups=owner.group,
        name=owner.name,
        is_system=owner.system,
    )
    _check_no_text_reveals_token(grant, key)
    return grant


def _refuse_hashed_options(settings: AddCommand) -> None:
    # Flags only: JANITOR_USER and other variables may be set for other commands.
    flags = settings.owner.given_by_flag(*_HASHED_OPTIONS) + settings.replace.given_by_flag("replace_expired")
    if flags:
        sentence = f"{', '.join(map(flag, flags))}: a row of a classic table has only token and expiration"
        raise ConfigurationError(sentence, "remove them, or give --dialect hashed if LISA 6.1 or later reads the table")


def _find_caller_name(settings: TableSettings) -> str:
    """Return the last part of the caller's ARN: the name of the user, or of a role's session."""
    aws = IdentifiedSession(make_aws_access(settings))
    try:
        arn = aws.caller().arn
    except JanitorError as error:
        sentence = f"AWS does not say who creates the token: {error.sentence}"
        raise ConfigurationError(sentence, "give --created-by NAME", error.code) from None
    return arn.rpartition("/")[2].rpartition(":")[2]


def _check_no_text_reveals_token(grant: Grant, key: str) -> None:
    """Check that no text that is shown to people holds a token.

    Raises:
        ConfigurationError: one does. The message does not repeat it.
    """
    shown_texts = {
        "user": [grant.username],
        "name": [grant.name],
        "group": list(grant.groups),
        "created_by": [grant.created_by],
    }
    for name, texts in shown_texts.items():
        if any(reveals_token(text, key) for text in texts):
            sentence = f"{flag(name)} has a token in it, or 40 hex digits or more, which look like one"
            raise ConfigurationError(sentence, "give a text that everybody may read", "holds-token")
