"""What the row of a new token says besides key and expiration in a table of LISA 6.1 or later: its owner, its name."""

import uuid
from collections.abc import Sequence

from janitor.dynamodb.caller import IdentifiedSession
from janitor.dynamodb.find import StoredItem
from janitor.errors import ConfigurationError, JanitorError
from janitor.settings.setting import flag
from janitor.settings.table import TableSettings
from janitor.settings.token_add import AddCommand, OwnerSettings
from janitor.tokens.dialect import Dialect
from janitor.tokens.new_row import Grant, Predecessor, read_predecessor
from janitor.tokens.redact import reveals_token
from janitor.tokens.row import text_of
from janitor.wiring.open_table import make_aws_access

# Options for what only a row of LISA 6.1 or later can say.
_HASHED_OPTIONS = ("user", "name", "group", "system", "personal", "created_by")
# After what it is about, in an error.
IS_REVEALING = "has a token in it, or 40 hex digits or more, which look like one"
_ADD_INSTEAD = "remove it with `janitor token remove`, and make another with `janitor token add`"


def make_grant(
    settings: AddCommand,
    key: str,
    dialect: Dialect,
    now: int,
    *,
    predecessor: Predecessor | None = None,
    old_keys: Sequence[str] = (),
) -> Grant | None:
    """Make what the row says besides key and expiration; None in a classic table.

    Args:
        settings: the options. Without --created-by, AWS is asked who creates the token.
        key: the row's key, which no text of it may reveal.
        dialect: the table's dialect.
        now: the UNIX second of its creation.
        predecessor: the row that it replaces. Its name, groups and system flag are kept unless options say otherwise.
        old_keys: the keys of all rows that it replaces, which no text of it may reveal either.

    Raises:
        ConfigurationError: too much or too little is given, or a text holds a token, or the creator is not known.
    """
    owner = settings.owner
    if dialect is Dialect.CLASSIC:
        _refuse_hashed_options(settings)
        return None
    name = owner.name or (predecessor.name if predecessor else None)
    if owner.user is None or name is None:
        given = {"user": owner.user, "name": name}
        missing = " and ".join(flag(option) for option, value in given.items() if value is None)
        sentence = f"{missing} must be given: LISA 6.1 and later stores a token's owner and name"
        raise ConfigurationError(sentence, code="no-owner")
    grant = Grant(
        token_uuid=str(uuid.uuid4()),
        created_date=now,
        created_by=owner.created_by or find_caller_name(settings.table),
        username=owner.user,
        groups=owner.group or _keep_groups(predecessor),
        name=name,
        is_system=owner.system or (predecessor is not None and predecessor.is_system and not owner.personal),
    )
    _check_no_text_reveals_token(grant, owner, key, *old_keys)
    return grant


def make_successor_grant(old: StoredItem, key: str, now: int, *, created_by: str | None, table: TableSettings) -> Grant:
    """Make what the successor of a token says besides key and expiration: the same owner, name, groups, system flag.

    Args:
        old: the row of the token that it succeeds, from a table of LISA 6.1 or later.
        key: the new row's key, which no text of it may reveal.
        now: the UNIX second of its creation.
        created_by: who creates it; None to ask AWS whose the credentials are.
        table: how AWS is reached.

    Raises:
        ConfigurationError: the old row lacks what LISA needs, or a text of it holds a token; or the creator is not
            known.
    """
    predecessor, username = read_predecessor(old.item), text_of(old.row.username)
    if not username or not predecessor.name:
        missing = " and no ".join(
            what for what, text in (("username", username), ("name", predecessor.name)) if not text
        )
        raise ConfigurationError(f"its row has no {missing} to keep", _ADD_INSTEAD, "no-owner")
    if predecessor.groups is None:
        sentence = "its groups are not a list of texts, so they cannot be kept"
        raise ConfigurationError(sentence, _ADD_INSTEAD, "unreadable-groups")
    grant = Grant(
        token_uuid=str(uuid.uuid4()),
        created_date=now,
        created_by=created_by or find_caller_name(table),
        username=username,
        groups=predecessor.groups,
        name=predecessor.name,
        is_system=predecessor.is_system,
    )
    name = find_revealing_text(grant, key, old.row.key.S or "")
    if name is not None:
        what = {"user": "its username", "name": "its name", "group": "one of its groups"}.get(name, flag(name))
        sentence = f"{what} {IS_REVEALING}"
        raise ConfigurationError(sentence, _ADD_INSTEAD, "holds-token")
    return grant


def list_kept(owner: OwnerSettings, predecessor: Predecessor) -> list[str]:
    """List what the row keeps of the one that it replaces, in words."""
    kept = {
        "name": owner.name is None,
        "groups": not owner.group and bool(predecessor.groups),
        "system flag": predecessor.is_system and not owner.personal,
    }
    return [what for what, is_kept in kept.items() if is_kept]


def _keep_groups(predecessor: Predecessor | None) -> tuple[str, ...]:
    if predecessor is None:
        return ()
    if predecessor.groups is None:
        sentence = "the groups of the token that it replaces are not a list of texts, so they cannot be kept"
        raise ConfigurationError(sentence, "give each of its groups with --group", "unreadable-groups")
    return predecessor.groups


def _refuse_hashed_options(settings: AddCommand) -> None:
    # Flags only: JANITOR_USER and other variables may be set for other commands.
    flags = settings.owner.given_by_flag(*_HASHED_OPTIONS) + settings.replace.given_by_flag("replace_expired")
    if flags:
        sentence = f"{', '.join(map(flag, flags))}: a row of a classic table has only token and expiration"
        raise ConfigurationError(sentence, "remove them, or give --dialect hashed if LISA 6.1 or later reads the table")


def find_caller_name(settings: TableSettings) -> str:
    """Return the last part of the caller's ARN: the name of the user, or of a role's session."""
    aws = IdentifiedSession(make_aws_access(settings))
    try:
        arn = aws.caller().arn
    except JanitorError as error:
        sentence = f"AWS does not say who creates the token: {error.sentence}"
        raise ConfigurationError(sentence, "give --created-by NAME", error.code) from None
    return arn.rpartition("/")[2].rpartition(":")[2]


def _check_no_text_reveals_token(grant: Grant, owner: OwnerSettings, *keys: str) -> None:
    """Check that no text that is shown to people, given or kept, holds the token of one of these keys.

    Raises:
        ConfigurationError: one does. The message does not repeat it.
    """
    option = find_revealing_text(grant, *keys)
    if option is None:
        return
    is_kept = option in ("name", "group") and not getattr(owner, option)
    what = f"the {option} of the replaced row" if is_kept else flag(option)
    way_out = f"give another one with {flag(option)}" if is_kept else "give a text that everybody may read"
    sentence = f"{what} {IS_REVEALING}"
    raise ConfigurationError(sentence, way_out, "holds-token")


def find_revealing_text(grant: Grant, *keys: str) -> str | None:
    """The name of the option whose text holds the token of one of these keys, or what looks like one; None for none."""
    shown_texts = {
        "user": [grant.username],
        "name": [grant.name],
        "group": list(grant.groups),
        "created_by": [grant.created_by],
    }
    for name, texts in shown_texts.items():
        if any(reveals_token(text, key) for text in texts for key in keys):
            return name
    return None
