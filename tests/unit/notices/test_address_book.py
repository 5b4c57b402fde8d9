from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import ConfigurationError
from janitor.notices.address_book import open_address_book


@pytest.mark.parametrize(
    "content", ["username,address\nada,ada@example.com\n", "ada\tada@example.com\n", "ada,ada@example.com"]
)
def test_a_file_names_owners_with_or_without_a_header(tmp_path: Path, content: str) -> None:
    path = tmp_path / "owners"
    path.write_bytes(b"\xef\xbb\xbf" + content.encode())
    book = open_address_book(str(path))
    assert [book.find(name) for name in ("ada", "Ada", "bob", "", None)] == ["ada@example.com", None, None, None, None]


@pytest.mark.parametrize(
    "content", ["ada,ada@example.com\nbob\n", "ada,no address\n", "ada,a@example.com\nada,b@example.com\n", "a,b@c,d\n"]
)
def test_a_line_that_is_no_owner_and_one_address_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "owners.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"line {content.count(chr(10))} is not"):
        open_address_book(str(path))


@given(st.text() | st.sampled_from(["eve@evil.example,x", "eve@evil.example>", "a b", '"e" <e@evil.example>', "a\nb"]))
def test_a_username_never_makes_a_second_address(username: str) -> None:
    address = open_address_book("{username}@example.com").find(username)
    assert address is None or (address == f"{username}@example.com" and address.count("@") == 1 and " " not in address)
    assert address is None or not set(address) & set(',;<>"\n\t')
