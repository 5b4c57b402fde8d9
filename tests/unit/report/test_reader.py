"""Reports read back from files, and files that are none."""

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.report.formats.json import Json
from janitor.report.formats.ndjson import Ndjson
from janitor.report.model import Report
from janitor.report.reader import ReportFileError, report_in
from tests.unit.report.test_merge import KEYS, report
from tests.unit.rows import NOW

SECRET = "sk-a-bearer-token"  # of nobody
ROWS = [{"token": {"S": key}, "tokenExpiration": {"N": str(NOW + n)}} for n, key in enumerate(KEYS[:30])]
WHOLE = report(ROWS, (0, 2))


def read(content: bytes, most: int = 100) -> Report:
    return report_in("0.json", io.BufferedReader(io.BytesIO(content)), most)


def lines_of(made: Report) -> bytes:
    ndjson = Ndjson()
    return ndjson.lines(made.findings[::-1]) + ndjson.tail(made)


def changed(**values: Any) -> bytes:
    """A report as JSON with other values, keys in them parted by a double underscore; `...` takes a key away."""
    content = json.loads(Json().tail(WHOLE))
    for path, value in values.items():
        *parts, key = path.split("__")
        place = content
        for part in parts:
            place = place[part]
        if value is ...:
            del place[key]
        else:
            place[key] = value
    return json.dumps(content).encode()


@pytest.mark.parametrize("content", [Json().tail(WHOLE), changed(), lines_of(WHOLE)], ids=["json", "compact", "ndjson"])
def test_a_report_is_read_as_it_was_written(content: bytes) -> None:
    assert read(content) == WHOLE
    assert read(gzip.compress(content)) == WHOLE


def test_of_many_findings_the_most_urgent_are_kept_and_the_rest_counted() -> None:
    kept = read(lines_of(WHOLE), 10)
    assert kept.findings == WHOLE.findings[:10]
    assert kept.findings_omitted == 20


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "0.json is empty"),
        (b" \n\n", "0.json is empty"),
        (SECRET.encode(), "it holds no JSON object"),
        (b"\xff\xfe{\x00", "0.json is in UTF-16"),
        (b"\xfd\xff{", "it holds no JSON object"),
        (b"[1]", "it holds no JSON object"),
        (Json().tail(WHOLE)[:-90], "is cut off: it holds no JSON object"),
        (lines_of(WHOLE)[:900], "0.json is "),
        (b"".join(lines_of(WHOLE).splitlines(keepends=True)[:-1]), "is cut off: its last line is not that of a report"),
        (gzip.compress(lines_of(WHOLE), mtime=0)[:-20], "cannot be unzipped: it is cut off or damaged"),
        (gzip.compress(b"{}", mtime=0)[:8], "cannot be unzipped: it is cut off or damaged"),
        (
            changed(schema="janitor.report/v2"),
            "0.json is a janitor.report/v2, and this janitor reads janitor.report/v1",
        ),
        (changed(schema=SECRET), "is of an unknown schema"),
        (b'{"schema": "janitor.plan/v1", "x": "%b"}\n{"row": 0}\n' % SECRET.encode(), "is a janitor.plan/v1"),
        (b'{"token": "%b"}\n{"token": "a"}\n' % SECRET.encode(), "a line is no finding"),
        (changed(schema=...), "0.json is no report: schema is missing"),
        (changed(counts=...), "0.json is no report: counts is missing"),
        (changed(run__outcome=SECRET), "run.outcome is not what a janitor.report/v1 holds there"),
        (changed(counts__scanned=SECRET), "counts.scanned is not what"),
        (changed(**{SECRET: 1}), "it has a key that no janitor.report/v1 has"),
        (changed(**{f"counts__{SECRET}": 1}), "it has a key that no janitor.report/v1 has, in counts"),
        (changed(run__started_at="2026-01-01T00:00:00"), "a time in it has no zone"),
        (changed(counts__scanned=-1), "it counts less than nothing"),
        (changed(forecast=[{"day": "2026-01-01", "expiring": -5, "unusual": False}]), "it counts less than nothing"),
    ],
)
def test_a_file_that_is_no_report_is_named_and_its_text_not_repeated(content: bytes, fault: str) -> None:
    with pytest.raises(ReportFileError) as refused:
        read(content)
    assert fault in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.exit_code == 2


@given(content=st.one_of(st.binary(), st.binary().map(lambda some: b'{"schema":"janitor.report/v1"' + some)))
def test_no_bytes_are_a_bug(content: bytes) -> None:
    with pytest.raises(ReportFileError):
        read(content)
