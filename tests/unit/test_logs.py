import io
import json
import logging
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import janitor
from janitor.logs import REMOVED, SHOWN_AT_END, configure

KEY = "a-bearer-token-of-somebody"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure(level="debug", format_name="json", stream=written)
    yield written
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_has_its_level_its_time_in_utc_and_the_run(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(run_id="r1"):
        structlog.get_logger("janitor.test").info("run.started", rows=3)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["run_id"], line["rows"]) == ("run.started", "info", "r1", 3)
    assert line["timestamp"].endswith("Z")


def test_of_botocores_debug_lines_only_the_pattern_is_kept(stream: io.StringIO) -> None:
    logging.getLogger("botocore.parsers").debug("Response body:\n%s", f'{{"token":{{"S":"{KEY}"}}}}'.encode())
    logging.getLogger("botocore.endpoint").debug("Making request for %s with params: %s", "Scan", {"body": KEY})
    assert KEY not in stream.getvalue()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "Response body:",
        "Making request for %s with params: %s",
    ]


@pytest.mark.parametrize(
    "logger",
    ["botocore.credentials", "botocore.utils", "urllib3.connectionpool", "urllib3.util.retry", "asyncio"],
)
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR])
def test_of_what_speaks_to_aws_no_line_has_its_values_at_any_level(
    stream: io.StringIO, logger: str, level: int
) -> None:
    try:
        os.environ[KEY]
    except KeyError as error:
        logging.getLogger(logger).log(level, "Error retrieving %s: %s", KEY, error, exc_info=True)
    assert KEY not in stream.getvalue()
    assert json.loads(stream.getvalue())["event"] == "Error retrieving %s: %s"


def test_what_other_libraries_warn_of_is_whole(stream: io.StringIO) -> None:
    logging.getLogger("tzlocal").warning("Run of job %s was missed", "nightly")
    assert json.loads(stream.getvalue())["event"] == "Run of job nightly was missed"


def test_whatever_looks_like_a_key_is_removed_at_the_last_moment(stream: io.StringIO) -> None:
    log = structlog.get_logger("janitor.test")
    event = f'see {{"token": {{"S": "{KEY}"}}}}'
    log.warning(event, item={"token": KEY}, Key=KEY, nested=[{"tokens": [KEY]}], body=b"x")
    assert KEY not in stream.getvalue()
    assert json.loads(stream.getvalue())["item"] == REMOVED


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_log_holds_no_character_that_a_terminal_would_obey_or_not_show(form: str, stream: io.StringIO) -> None:
    configure(level="debug", format_name=form, stream=stream)
    hostile = "a\u202egnp\u2066b\u200b\x9b2J\x1b[2J"
    structlog.get_logger("janitor.test").warning("seen", owner=hostile, several=[hostile], within={"name": hostile})
    written = stream.getvalue()
    assert {unicodedata.category(character) for character in written.replace("\n", "")}.isdisjoint({"Cc", "Cf"})
    if form == "json":
        line = json.loads(written)
        assert (line["owner"], line["several"], line["within"]) == (hostile, [hostile], {"name": hostile})
    assert "gnp" in written


def test_an_exception_is_its_type_and_its_places_without_its_words(stream: io.StringIO) -> None:
    try:
        os.environ[KEY]
    except KeyError:
        structlog.get_logger("janitor.test").exception("broken")
    line = json.loads(stream.getvalue())
    assert KEY not in stream.getvalue()
    assert line["exception"] == "KeyError"
    assert line["frames"][0].startswith("tests.unit.test_logs:")


def test_each_of_those_moments_is_logged_somewhere() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(janitor.__file__).parent.rglob("*.py"))
    for moment in SHOWN_AT_END:
        assert re.search(rf'log\.(error|warning)\(\s*"{re.escape(moment)}"', code), moment
