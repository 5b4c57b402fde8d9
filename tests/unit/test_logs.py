import datetime as dt
import io
import json
import logging
import os
from collections.abc import Iterator

import pytest

from janitor.logs import REMOVED, Log, bind, bound, configure, unbind

KEY = "a-bearer-token-of-somebody"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure(level="debug", format_name="json", stream=written)
    yield written
    root.handlers, root.level = handlers, level
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_has_its_level_its_time_in_utc_and_the_run(stream: io.StringIO) -> None:
    with bound(run_id="r1"):
        Log("janitor.test").info("run.started", rows=3, name="a table's")
    line = json.loads(stream.getvalue())
    assert list(line) == ["rows", "name", "event", "run_id", "level", "logger", "timestamp"]
    assert (line["event"], line["level"], line["run_id"], line["rows"]) == ("run.started", "info", "r1", 3)
    assert dt.datetime.fromisoformat(line["timestamp"]).utcoffset() == dt.timedelta(0)


def test_what_is_bound_is_in_every_line_until_it_is_taken_away(stream: io.StringIO) -> None:
    log = Log("janitor.test")
    bind(run_id="r1", job="nightly")
    with bound(table="t", job="other"):
        log.info("inside")
    logging.getLogger("botocore").warning("from %s", "elsewhere")
    unbind("run_id", "job", "never there")
    log.info("after")
    inside, elsewhere, after = map(json.loads, stream.getvalue().splitlines())
    assert (inside["run_id"], inside["job"], inside["table"]) == ("r1", "other", "t")
    assert (elsewhere["event"], elsewhere["job"], "table" in elsewhere) == ("from elsewhere", "nightly", False)
    assert not {"run_id", "job", "table"} & set(after)


def test_a_line_on_a_console_is_told_in_words() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure(level="info", format_name="console", stream=written)
    try:
        log = Log("janitor.test")
        log.debug("unheard")
        log.warning("table.not_reached", table="a b", code="denied", rows=3, token=KEY)
    finally:
        root.handlers, root.level = handlers, level
    assert written.getvalue().split("Z ", 1)[1] == (
        "[warning  ] table.not_reached    [janitor.test] code=denied rows=3 table='a b' token=[removed]\n"
    )


def test_of_botocores_debug_lines_only_the_pattern_is_kept(stream: io.StringIO) -> None:
    logging.getLogger("botocore.parsers").debug("Response body:\n%s", f'{{"token":{{"S":"{KEY}"}}}}'.encode())
    logging.getLogger("botocore.endpoint").debug("Making request for %s with params: %s", "Scan", {"body": KEY})
    assert KEY not in stream.getvalue()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "Response body:",
        "Making request for %s with params: %s",
    ]


def test_whatever_looks_like_a_key_is_removed_at_the_last_moment(stream: io.StringIO) -> None:
    log = Log("janitor.test")
    event = f'see {{"token": {{"S": "{KEY}"}}}}'
    log.warning(event, item={"token": KEY}, Key=KEY, nested=[{"tokens": [KEY]}], body=b"x")
    assert KEY not in stream.getvalue()
    assert json.loads(stream.getvalue())["item"] == REMOVED


def test_an_exception_is_its_type_and_its_places_without_its_words(stream: io.StringIO) -> None:
    try:
        os.environ[KEY]
    except KeyError:
        Log("janitor.test").exception("broken")
    line = json.loads(stream.getvalue())
    assert KEY not in stream.getvalue()
    assert line["exception"] == "KeyError"
    assert line["frames"][0].startswith("tests.unit.test_logs:")
