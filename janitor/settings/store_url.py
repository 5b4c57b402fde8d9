"""`--state-url`: where the store is."""

from pathlib import Path
from typing import NamedTuple

from janitor.settings.parsers import is_table_name

_SQLITE = "sqlite:///"
_DYNAMODB = "dynamodb://"


class SqliteUrl(NamedTuple):
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        """The URL with the absolute path, so that it names the same file from every folder."""
        return f"{_SQLITE}{self.path.absolute()}"


class DynamoDbUrl(NamedTuple):
    """A table in the account and region of the run."""

    table: str

    def __str__(self) -> str:
        return f"{_DYNAMODB}{self.table}"


def parse_state_url(text: str) -> SqliteUrl | DynamoDbUrl:
    """`sqlite:///relative/path`, `sqlite:////absolute/path` or `dynamodb://TABLE`.

    Raises:
        ValueError: the text is neither; the sentence says what would be right.
    """
    if text.startswith(_SQLITE):
        return SqliteUrl(_parse_file(text.removeprefix(_SQLITE), text))
    if text.startswith(_DYNAMODB):
        return DynamoDbUrl(_parse_table(text.removeprefix(_DYNAMODB), text))
    if text.startswith("sqlite:"):
        raise ValueError(f"{text!r} needs three slashes before a relative path, four before an absolute one")
    raise ValueError(f"{text!r} is neither sqlite:///PATH nor dynamodb://TABLE")


def _parse_file(path: str, text: str) -> Path:
    if not path or path.endswith("/") or "\0" in path:
        raise ValueError(f"{text!r} names no file; write sqlite:///relative/path or sqlite:////absolute/path")
    if path.startswith("~"):
        # No shell expands it here, and a folder named ~ is dangerous to remove.
        raise ValueError(f"{text!r} has a ~, which is not expanded here; write the full path")
    if path.startswith(":memory:"):
        raise ValueError(f"{text!r} would be lost at the end of the run; name a file")
    return Path(path)


def _parse_table(name: str, text: str) -> str:
    if not is_table_name(name):
        raise ValueError(f"{text!r} names no table: after dynamodb:// come 3 to 255 letters, digits, _ . or -")
    return name
