"""The file of owners: what it says is taken as written, and every mistake is named by its line, never by its cells."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.errors import ConfigurationError
from janitor.lifecycle.owners_file import Owner, read_owners
from janitor.report.build import build_finding
from janitor.report.formats.csv import CsvFormat
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from tests.examples import examples
from tests.unit.rows import NOW, POLICIES, row

SECRET = "s3cret-token-in-the-wrong-column"
HEAD = "fingerprint,username,name,groups,system\n"

texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20)
# A first `_` may be a list's mark.
labels = texts.filter(lambda text: not text.startswith("_"))
# What `token list` writes as it is, or with a mark: no quotes and backslashes, which it may escape.
listed = texts.filter(lambda text: not set("'\\") & set(text)) | st.sampled_from(
    ["748922512345", "_2027-01-01", "=a", "no"]
)
group_names = labels.filter(lambda text: ";" not in text)
fingerprints = st.text("0123456789abcdef", min_size=12, max_size=12)
lines = st.tuples(labels, labels, st.lists(group_names, max_size=3), st.booleans())


@given(st.dictionaries(fingerprints, lines, max_size=5), st.sampled_from(["", "_"]), st.booleans())
@examples(60, 600)
def test_whatever_a_spreadsheet_saves_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    content: dict[str, tuple[str, str, list[str], bool]],
    mark: str,
    has_byte_order_mark: bool,  # noqa: FBT001
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["state", "name", "Username", "fingerprint", "groups", "system"])
    for fingerprint, (username, name, groups, is_system) in content.items():
        system = "true" if is_system else "false"
        writer.writerow(["active", name, username, f"{mark}{fingerprint}", "; ".join(groups), system])
    path = tmp_path_factory.mktemp("owners") / "owners.csv"
    path.write_bytes(text.getvalue().encode("utf-8-sig" if has_byte_order_mark else "utf-8"))
    assert read_owners(path) == {
        fingerprint: Owner(line, username, name, tuple(groups), is_system)
        for line, (fingerprint, (username, name, groups, is_system)) in enumerate(content.items(), 2)
    }


@given(listed, listed, st.lists(listed.filter(lambda text: ";" not in text), max_size=3))
@examples(60, 600)
def test_what_a_list_says_is_read_as_it_stands_in_the_table(
    tmp_path_factory: pytest.TempPathFactory, username: str, name: str, groups: list[str]
) -> None:
    token = row({"token": {"S": "key"}, "username": {"S": username}, "name": {"S": name}})
    policy = POLICIES[Dialect.CLASSIC]
    finding = build_finding(token, classify(token, NOW, policy), now=NOW, policy=policy, fingerprint_key=None)
    path = tmp_path_factory.mktemp("owners") / "owners.csv"
    path.write_bytes(CsvFormat().head() + CsvFormat().lines([structs.replace(finding, groups=tuple(groups))]))
    assert list(read_owners(path).values()) == [Owner(2, username, name, tuple(groups), is_system=False)]


def test_an_underscore_of_ones_own_stays(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    path.write_text(f"{HEAD}000000000000,_svc,__svc,_a;_5;_6,\n")
    [owner] = read_owners(path).values()
    assert (owner.username, owner.name, owner.groups) == ("_svc", "_svc", ("_a", "_5", "_6"))


def test_every_mistake_is_named_by_its_line_and_no_cell_is_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "owners.csv"
    mistakes = {
        f"{SECRET},ana,ci,,": "its fingerprint is not the 12 hex digits",
        "7.48923E+11,ana,ci,,": "its fingerprint is not the 12 hex digits",
        ",ana,ci,,": "its fingerprint is not the 12 hex digits",
        f"aaaaaaaaaaaa,{SECRET},,,": "the token has no name: give it a name, or clear the username to leave it out",
        f"bbbbbbbbbbbb,ana,{SECRET}\u202e,,": "name: the text has control characters",
        "cccccccccccc,ana,ci,\u202egroup,": "groups: the text has control characters",
        f"dddddddddddd,ana,ci,,{SECRET}": "system is neither yes nor no",
        f"eeeeeeeeeeee,ana,ci,a,b,{SECRET}": "it has more or fewer cells",
        "000000000000,ana,ci,,": "its fingerprint is that of line 2, which says otherwise",
    }
    path.write_text("\n".join([f"{HEAD}000000000000,ana,ci,a;b,yes\n", *mistakes]))
    with pytest.raises(ConfigurationError, match="has 9 mistakes, so nothing was read or written"):
        read_owners(path)
    said = capsys.readouterr().err
    for line, why in enumerate(mistakes.values(), 4):
        assert f"line {line}: {why}" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "there is no column fingerprint, no username, no name"),
        (b"fingerprint;username;name\n", "there is no column fingerprint"),
        (b"fingerprint,name,username,name\n", "name is there twice"),
        (HEAD.encode("utf-16"), "is not UTF-8"),
        (HEAD.encode() + b'000000000000,"ana\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "owners.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why):
        read_owners(path)


def test_a_line_without_a_username_leaves_its_token_out(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    path.write_text(f"{HEAD}000000000000,,,,\n111111111111, ,ci,users,perhaps\n")
    assert [owner[1:] for owner in read_owners(path).values()] == [(None, None, (), False)] * 2
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_owners(tmp_path / "none.csv")


def test_lines_of_one_token_that_agree_are_one(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    same, blank = "000000000000,ana,ci,a,no", "000000000000,,,,"
    for lines, line in (((same, blank, same), 2), ((blank, same, same), 3)):
        path.write_text(HEAD + "\n".join(lines))
        assert read_owners(path) == {"000000000000": Owner(line, "ana", "ci", ("a",), is_system=False)}
