"""Reading reports back: the JSON one, or the lines of ndjson, either of them in gzip too.

Nothing of a file is repeated in an error but names of the report's own keys: it may be another file than the user
meant, such as an archive with bearer tokens.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from io import BufferedReader

import msgspec
from msgspec import structs

from janitor.errors import ConfigurationError
from janitor.report import model
from janitor.report.build import MAX_JSON_INTEGER, urgency_of
from janitor.report.model import SCHEMA, Finding, Report
from janitor.report.part import Part
from janitor.report.shortlist import shortlist_of_findings
from janitor.report.urgent import Shortlist

_GZIP = b"\x1f\x8b"
_SCHEMA = re.compile(r"janitor\.[a-z-]{1,20}/v[0-9]{1,4}").fullmatch
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FINDING = msgspec.json.Decoder(Finding)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# How msgspec tells what is wrong, and where. Anything else of its words may be the file's own.
_MISSING = re.compile(r"Object missing required field `([a-z_]+)`").match
_UNKNOWN = re.compile(r"Object contains unknown field ").match
_PLACE = re.compile(r" - at `\$([a-z_.\[\]0-9]*)`$").search


class ReportFileError(ConfigurationError):
    """A file that is no report, or a damaged one."""

    default_code = "not-a-report"

    def __init__(self, sentence: str, way_out: str = "give the json or ndjson report that a run wrote") -> None:
        super().__init__(sentence, way_out)


def report_in(name: str, stream: BufferedReader, max_findings: int) -> Report:
    """The report in a file.

    Args:
        name: what the user calls the file.
        stream: its bytes, from the first on.
        max_findings: how many findings to keep at most: the most urgent, and a few of each state.

    Raises:
        ReportFileError: it is no report of this schema, or it is cut off or damaged.
        OSError: it cannot be read.
    """
    try:
        if stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            with gzip.GzipFile(fileobj=stream) as unzipped:
                return _checked(name, _report_of(name, iter(unzipped), max_findings))
        return _checked(name, _report_of(name, iter(stream), max_findings))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ReportFileError(f"{name} cannot be unzipped: it is cut off or damaged", "take another copy") from None


def _report_of(name: str, lines: Iterator[bytes], max_findings: int) -> Report:
    shortlist = shortlist_of_findings(max_findings)
    # The last line so far: of ndjson that is the report in the end, and all before it are findings.
    # Without the mark that some editors and shells put at the start.
    last = next(lines, b"").removeprefix(codecs.BOM_UTF8)
    if last.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ReportFileError(
            f"{name} is in UTF-16, and a report is in UTF-8", "save it as UTF-8, or copy it as it was"
        )
    if not _is_object(last):
        last += b"".join(lines)
    for line in lines:
        _offer(shortlist, _finding(name, last))
        last = line
    report = _report(name, last)
    for finding in report.findings:
        _offer(shortlist, finding)
    findings = shortlist.sorted()
    omitted = model.worth_a_line(report.counts, report.listing) - len(findings)
    return structs.replace(report, findings=findings, findings_omitted=omitted)


def _is_object(line: bytes) -> bool:
    try:
        _OBJECT.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _offer(shortlist: Shortlist[Finding], finding: Finding) -> None:
    shortlist.offer(finding.state, urgency_of(finding), finding.fingerprint, finding)


def _finding(name: str, line: bytes) -> Finding:
    try:
        return _FINDING.decode(line)
    except (ValueError, RecursionError):
        raise _other_schema(name, line) or ReportFileError(f"{name} is no report: a line is no finding") from None


def _report(name: str, content: bytes) -> Report:
    try:
        report = msgspec.json.decode(content, type=Report)
    except _UNREADABLE as error:
        raise _other_schema(name, content) or _fault(name, content, error) from None
    if "schema" not in _OBJECT.decode(content):
        raise ReportFileError(f"{name} is no report: schema is missing")
    return report


def _other_schema(name: str, content: bytes) -> ReportFileError | None:
    """That it is of another schema, if it says so."""
    try:
        schema = msgspec.json.decode(_OBJECT.decode(content)["schema"], type=str)
    except (ValueError, RecursionError, KeyError):
        return None
    if schema == SCHEMA:
        return None
    what = f"is a {schema}" if _SCHEMA(schema) else "is of an unknown schema"
    return ReportFileError(f"{name} {what}, and this janitor reads {SCHEMA}")


def _fault(name: str, content: bytes, error: Exception) -> ReportFileError:
    if not content.strip():
        return ReportFileError(f"{name} is empty")
    if not _is_object(content):
        return ReportFileError(f"{name} is no report, or is cut off: it holds no JSON object")
    keys = _OBJECT.decode(content)
    if "schema" not in keys and "fingerprint" in keys:
        return ReportFileError(f"{name} is cut off: its last line is not that of a report")
    return ReportFileError(f"{name} is no report: {_said(str(error))}")


def _said(error: str) -> str:
    found = _PLACE(error)
    place = found[1].removeprefix(".") if found else ""
    if missing := _MISSING(error):
        return f"{place}.{missing[1]}".removeprefix(".") + " is missing"
    if _UNKNOWN(error):
        return f"it has a key that no {SCHEMA} has{f', in {place}' if place else ''}"
    return f"{place or 'something'} is not what a {SCHEMA} holds there"


def _checked(name: str, report: Report) -> Report:
    """The report, if it can be reckoned with: every time with its zone, and no count below 0 or beyond JSON."""
    times = [report.run.started_at, report.run.finished_at, report.policy.as_of]
    for finding in report.findings:
        times += (finding.expires_at, finding.created_at, finding.probably_meant)
    if any(time is not None and time.utcoffset() is None for time in times):
        raise ReportFileError(f"{name} is no report: a time in it has no zone")
    counts = [*_numbers(report.counts), *_numbers(report.deletion), *(day.expiring for day in report.forecast)]
    if not all(0 <= count <= MAX_JSON_INTEGER for count in counts):
        raise ReportFileError(f"{name} is no report: it counts less than nothing, or more than there can be")
    return report


def _numbers(part: Part) -> list[int]:
    return [value for value in structs.astuple(part) if isinstance(value, int)]
