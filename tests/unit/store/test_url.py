from pathlib import Path

import pytest

from janitor.settings.store_url import DynamoDbUrl, SqliteUrl, parse_state_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite:///state.db", SqliteUrl(Path("state.db"))),
        ("sqlite:///a folder/state.db?x=1", SqliteUrl(Path("a folder/state.db?x=1"))),
        ("sqlite:////var/lib/janitor/state.db", SqliteUrl(Path("/var/lib/janitor/state.db"))),
        ("dynamodb://abc", DynamoDbUrl("abc")),
        ("dynamodb://Janitor_state.v1-2", DynamoDbUrl("Janitor_state.v1-2")),
        (f"dynamodb://{'a' * 255}", DynamoDbUrl("a" * 255)),
    ],
)
def test_a_url_names_a_file_or_a_table_and_is_written_with_the_whole_path(
    text: str, url: SqliteUrl | DynamoDbUrl
) -> None:
    assert parse_state_url(text) == url
    is_relative = isinstance(url, SqliteUrl) and not url.path.is_absolute()
    assert str(url) == (f"sqlite:///{Path.cwd()}/{text.removeprefix('sqlite:///')}" if is_relative else text)
    assert str(parse_state_url(str(url))) == str(url)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "neither sqlite:///PATH nor dynamodb://TABLE"),
        ("state.db", "neither sqlite:///PATH nor dynamodb://TABLE"),
        ("redis://host/0", "neither sqlite:///PATH nor dynamodb://TABLE"),
        ("DynamoDB://table", "neither sqlite:///PATH nor dynamodb://TABLE"),
        ("sqlite://state.db", "three slashes"),
        ("sqlite:state.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:////var/lib/", "names no file"),
        ("sqlite:///a\0b", "names no file"),
        ("sqlite:///~/state.db", "write the full path"),
        ("sqlite:///:memory:", "would be lost at the end of the run"),
        ("dynamodb://", "3 to 255"),
        ("dynamodb://ab", "3 to 255"),
        ("dynamodb://a b c", "3 to 255"),
        ("dynamodb://table/item", "3 to 255"),
        (f"dynamodb://{'a' * 256}", "3 to 255"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_state_url(text)
