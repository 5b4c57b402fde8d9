"""The workbook, read back as LibreOffice reads it, and as the XML that it is."""

import csv
import datetime as dt
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from msgspec import structs

from janitor.errors import ConfigurationError
from janitor.report.formats.xlsx import XlsxFormat
from janitor.report.model import Finding, Report
from janitor.settings.output import OutputSettings
from janitor.settings.parsers import parse_report
from janitor.tokens.classify import State
from janitor.wiring.outlets import check_reports
from tests.examples import examples
from tests.unit.report.test_formats import HOSTILE, found, named, report, texts
from tests.unit.rows import NOW

_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
# Texts that a spreadsheet takes for something else, where it is left to guess.
MISREAD = ["=1+1", '=HYPERLINK("http://evil.example")', "748922512345", "12345678e901", "2027-01-02", "TRUE", "007"]
_ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def sheets(content: bytes) -> dict[str, Element]:
    """Each sheet's XML, by its name."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = [str(each.get("name")) for each in _parse(package, "workbook").iterfind(".//x:sheet", _NS)]
        return {name: _parse(package, f"worksheets/sheet{number}") for number, name in enumerate(names, start=1)}


def _parse(package: zipfile.ZipFile, part: str) -> Element:
    return fromstring(package.read(f"xl/{part}.xml"))  # noqa: S314  # made here


def expired(fingerprint: str, name: str) -> Finding:
    finding = named(name, name)
    finding.fingerprint = fingerprint
    return finding


@examples(40, nightly=400)
@given(texts, texts)
def test_no_text_becomes_anything_but_a_text(name: str, username: str) -> None:
    for sheet in sheets(XlsxFormat().tail(report(named(name, username)))).values():
        assert sheet.find(".//x:f", _NS) is None
        assert sheet.find(".//x:hyperlink", _NS) is None


def test_each_state_has_a_sheet_with_a_frozen_header_a_filter_and_widths() -> None:
    old, ahead = expired("1" * 12, "a"), structs.replace(expired("2" * 12, "b"), state=State.EXPIRING)
    content = XlsxFormat().tail(report(old, ahead))
    read = sheets(content)
    assert [*read] == ["summary", "expiring", "expired"]
    for state in ("expiring", "expired"):
        pane, scope = read[state].find(".//x:pane", _NS), read[state].find("x:autoFilter", _NS)
        assert pane is not None
        assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
        assert scope is not None
        assert str(scope.get("ref")).startswith("A1:")
        assert read[state].find("x:cols", _NS) is not None
    assert XlsxFormat().tail(report(old, ahead)) == content


def test_a_date_that_excel_does_not_know_is_written_as_a_text() -> None:
    early = structs.replace(expired("1" * 12, "a"), expires_at=dt.datetime(1899, 12, 31, tzinfo=dt.UTC))
    huge = structs.replace(expired("2" * 12, "b"), expiration=-(10**17))
    assert [*sheets(XlsxFormat().tail(report(early, huge)))] == ["summary", "expired"]


def test_without_the_extra_the_way_out_is_said_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = OutputSettings(report=(parse_report("xlsx=r.xlsx"),))
    check_reports(settings)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'token-janitor\[excel\]'"):
        check_reports(settings)
    check_reports(OutputSettings())


def opened_in_libreoffice(content: Report | bytes, folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each sheet but the first, as LibreOffice shows them."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed: nothing here opens a workbook")
    path = folder / "report.xlsx"
    path.write_bytes(content if isinstance(content, bytes) else XlsxFormat().tail(content))
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [soffice, profile, "--headless", "--convert-to", _ALL_SHEETS, "--outdir", str(folder), str(path)]
    # Its caches are its own, not in the home folder that all tests see.
    environment = os.environ | {"HOME": str(folder)}
    subprocess.run(command, check=True, capture_output=True, timeout=180, env=environment)
    written = {each.stem.removeprefix("report-"): each for each in folder.glob("report-*.csv")}
    return {name: [*csv.DictReader(each.read_text(encoding="utf-8").splitlines())] for name, each in written.items()}


def test_libreoffice_shows_dates_as_dates_and_texts_as_they_are(tmp_path: Path) -> None:
    findings = [
        *(expired(text if len(text) == 12 else "a" * 12, text) for text in MISREAD),
        *(named(text, text) for text in HOSTILE),
        found({"token": {"S": "k" * 40}}),
    ]
    read = opened_in_libreoffice(report(*findings), tmp_path)
    assert read.keys() == {"summary", "expired", "permanent"}
    rows = read["expired"]
    assert [row["name"] for row in rows[: len(MISREAD)]] == MISREAD
    assert {"748922512345", "12345678e901"} <= {row["fingerprint"] for row in rows}
    assert rows[0]["expires_at"] == f"{dt.datetime.fromtimestamp(NOW - 86_400, dt.UTC):%Y-%m-%d %H:%M:%S}"
    assert (rows[0]["expiration"], rows[0]["system"]) == (str(NOW - 86_400), "FALSE")
    assert read["permanent"][0]["expires_at"] == ""
    assert "@cmd" in {row["name"] for row in rows}
