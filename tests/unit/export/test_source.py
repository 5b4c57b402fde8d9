"""What a source is, told by what is in it; and that nothing passes for one, or for the whole of one, that is not."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import ConfigurationError, JanitorError, SourceError
from janitor.export.places import LocalFile, StandardInput
from janitor.export.source import Source, open_source
from janitor.export.source_kind import SourceKind
from janitor.stopping import Stop
from tests.exports import ACCOUNT, FOLDER, REGION, dump, export_files, written, zipped
from tests.tables import Item, modern

SECRET = "sk-a-bearer-token"
ROWS = [modern(f"{SECRET}-{number}", 1_790_000_000 + number) for number in range(40)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
WRAPPED = gzip.decompress(zipped(ROWS))


def source_of(content: bytes) -> Source:
    return open_source(StandardInput(io.BytesIO(content)))


def rows_of(source: Source) -> list[Item]:
    rows: list[Item] = []
    for page in source.pages(Stop()):
        assert (page.read_units, page.is_filtered, page.next_key) == (0.0, False, None)
        assert len(list(page.rows(range(page.count)))) == sum(map(len, page.glances())) == page.count
        rows += [json.loads(page.item(position)) for position in range(page.count)]
    return rows


def failure_of(content: bytes) -> str:
    with pytest.raises(JanitorError) as caught:
        rows_of(source_of(content))
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (dump(ROWS), SourceKind.DUMP),
        (json.dumps({"Count": 40, "Items": ROWS, "ScannedCount": 40}).encode(), SourceKind.DUMP),
        (dump(ROWS[:20]) + dump(ROWS[20:]), SourceKind.DUMP),
        (dump(ROWS[:20], NextToken="x", Count=99) + dump(ROWS[20:]), SourceKind.DUMP),
        (json.dumps(ROWS, indent=2).encode(), SourceKind.ARRAY),
        (LINES, SourceKind.BARE_LINES),
        (WRAPPED, SourceKind.WRAPPED_LINES),
        (b"\xef\xbb\xbf" + LINES, SourceKind.BARE_LINES),
        (b"\n \n" + WRAPPED.replace(b"\n", b"\r\n\n").rstrip(), SourceKind.WRAPPED_LINES),
    ],
)
def test_a_source_is_told_by_its_content_zipped_or_not(content: bytes, kind: SourceKind) -> None:
    for stored in (content, gzip.compress(content)):
        source = source_of(stored)
        assert source.kind is kind
        assert rows_of(source) == ROWS


def test_a_date_that_is_not_whole_hides_no_key() -> None:
    [*_, page] = source_of(dump([*ROWS, modern("a", 1) | {"tokenExpiration": {"N": "9000000000.5"}}])).pages(Stop())
    assert sum(map(len, page.glances())) == page.count
    [*_, keyless] = source_of(dump([*ROWS, {"tokenExpiration": {"N": "9000000000"}}])).pages(Stop())
    with pytest.raises(SourceError, match="item 41, is not a row of a token table"):
        list(keyless.glances())


def test_dumps_that_go_on_before_the_last_are_told_of() -> None:
    for going_on, words in ({"NextToken": "x"}, ["1 of 2 dumps in it are not complete"]), ({}, []):
        said: list[str] = []
        content = dump(ROWS[:20], **going_on) + dump(ROWS[20:])
        source = open_source(StandardInput(io.BytesIO(content)), said.append)
        assert rows_of(source) == ROWS
        assert [each.partition(";")[0] for each in said] == words


def test_an_export_says_whose_rows_it_holds(tmp_path: Path) -> None:
    folder = written(export_files(ROWS, table="prod-LISAApiBaseTokenTable"), tmp_path / FOLDER)
    for place in (folder, folder / "manifest-summary.json", folder / "manifest-files.json"):
        source = open_source(LocalFile(place))
        assert (source.table, source.region, source.account_id) == ("prod-LISAApiBaseTokenTable", REGION, ACCOUNT)
        assert (source.kind, source.rows, source.made_at) == (SourceKind.MANIFEST, 40, 1_799_911_714)
        assert sorted(map(str, rows_of(source))) == sorted(map(str, ROWS))
    elsewhere = folder.rename(tmp_path / "copied")
    assert len(rows_of(open_source(LocalFile(elsewhere)))) == 40


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        ("\ufeff{}".encode("utf-16-le"), "UTF-16"),
        (b'$ion_1_0 {Item:{token:"a"}}\n', "ION"),
        (b"<html>", "is not a source of rows"),
        (b'{"TableNames": []}', "is not a source of rows"),
        (b'{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{},"NewImage":{}}\n', "incremental"),
        (json.dumps(ROWS[0], indent=2).encode() * 2, "is not a source of rows"),
        (export_files([])["manifest-summary.json"], "give the export's folder"),
    ],
)
def test_what_is_no_source_is_refused_before_anything_is_read(content: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        source_of(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (dump(ROWS)[:-20], "is truncated: it ends after"),
        (dump(ROWS)[:9_000], "is truncated: it ends after 9,000 bytes"),
        (dump(ROWS, Count=41, ScannedCount=41), "holds 40 rows, but its Count says 41"),
        (dump(ROWS, ScannedCount=90), "made with a filter: it holds 40 of 90 rows"),
        (dump(ROWS, NextToken="x"), "it ends with NextToken"),
        (dump(ROWS, LastEvaluatedKey={"token": {"S": SECRET}}), "it ends with LastEvaluatedKey"),
        (dump(ROWS, Count=None), "has no Count"),
        (dump(ROWS).replace(b'"Items": [', b'"Items": [,', 1), "not the JSON of a dump at byte"),
        (dump(ROWS) + b"and so on", "not the JSON of a dump at byte"),
        (dump([*ROWS, {"key": {"S": SECRET}}]), "item 41, is not a row of a token table"),
        (dump([*ROWS, {"token": SECRET}]), "item 41, is not a row of a token table"),
        (LINES + b'\n{"token": {"S": "' + SECRET.encode(), "line 42, is not a row"),
        (dump([*ROWS, modern("k", 9_000_000_000) | {"token": {"N": "5"}}]), "item 41, is not a row of a token table"),
        (dump([*ROWS, {"tokenExpiration": {"N": "9000000000.5"}}]), "item 41, is not a row of a token table"),
        (LINES + b'\n{"tokenExpiration": {"N": "9000000000"}}', "line 42, is not a row of a token table"),
        (LINES + b'\n{"key": {"S": "a"}}', "line 42, is not a row of a token table"),
        (WRAPPED + json.dumps(ROWS[0]).encode(), "line 41, is not a row of an export"),
        (LINES + b'{"token": {"S": "' + SECRET.encode() + b"x" * 17 * 1024 * 1024, "line 41, is longer than"),
        (b'{"Items": ["' + SECRET.encode() + b"x" * 17 * 1024 * 1024, "is longer than"),
        (gzip.compress(LINES)[:-3], "its gzip stream has no end"),
        (gzip.compress(LINES) + b"more", "its gzip stream cannot be read"),
    ],
)
def test_damage_is_an_error_that_says_where_and_shows_nothing(content: bytes, words: str) -> None:
    assert words in failure_of(content)


def damaged(part: bytes) -> bytes:
    """A part whose gzip stream is right, of other rows than the manifest is of."""
    return gzip.compress(gzip.decompress(part).replace(b"user-", b"USER-"), mtime=0)


@pytest.mark.parametrize(
    ("changes", "words", "is_seen_first"),
    [
        ({"data/part0001.json.gz": None}, r"1 of the export's 4 parts are missing: .*part0001\.json\.gz", True),
        ({"manifest-files.json": None}, "manifest-files.json cannot be read", True),
        ({"manifest-summary.json": b'{"exportArn": "x"}'}, "not a manifest of an export", True),
        ({"manifest-files.json": b""}, "names parts with 0 rows in all, but the export has 40", True),
        ({"data/part0001.json.gz": lambda part: part[:-30]}, "part0001.json.gz is truncated", False),
        ({"data/part0001.json.gz": b""}, "part0001.json.gz is damaged: its MD5", False),
        ({"data/part0001.json.gz": damaged}, "part0001.json.gz is damaged: its MD5", False),
    ],
)
def test_an_export_is_read_whole_or_not_at_all(
    tmp_path: Path, *, changes: dict[str, Any], words: str, is_seen_first: bool
) -> None:
    files = export_files(ROWS)
    for name, change in changes.items():
        content = change(files[name]) if callable(change) else change
        files = (
            {**files, name: content} if content is not None else {each: files[each] for each in files if each != name}
        )
    folder = written(files, tmp_path)
    with pytest.raises(ConfigurationError if is_seen_first else SourceError, match=words):
        rows_of(open_source(LocalFile(folder)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exportType": "INCREMENTAL_EXPORT"}, "incremental"),
        ({"exportFromTime": "2027-01-13T00:00:00Z"}, "incremental"),
        ({"outputFormat": "ION"}, "the format ION"),
        (
            {"tableArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/../../etc"},
            "its tableArn is not the ARN of a table",
        ),
        (
            {"tableArn": f"arn:aws:dynamodb:../{REGION}:{ACCOUNT}:table/tokens"},
            "its tableArn is not the ARN of a table",
        ),
        ({"exportTime": "yesterday"}, "is not a time in ISO 8601"),
        ({"itemCount": 41}, "names parts with 40 rows in all, but the export has 41"),
    ],
)
def test_other_kinds_of_exports_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        open_source(LocalFile(written(export_files(ROWS, **changes), tmp_path)))


def test_a_part_without_its_md5_is_told_by_its_count(tmp_path: Path) -> None:
    files = export_files(ROWS)
    files["manifest-files.json"] = files["manifest-files.json"].replace(b"md5Checksum", b"md5")
    files["data/part0001.json.gz"] = zipped(ROWS[:3])
    with pytest.raises(SourceError, match="holds 3 rows, but the manifest says 13"):
        rows_of(open_source(LocalFile(written(files, tmp_path))))


def test_one_part_of_an_export_does_not_pass_for_all_of_it(tmp_path: Path) -> None:
    folder = written(export_files(ROWS), tmp_path / FOLDER)
    for path, words in (
        (folder / "data/part0000.json.gz", "one part of an export"),
        (folder.parent, "holds no manifest"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            open_source(LocalFile(path))
