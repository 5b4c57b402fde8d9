"""Times in UTC, out of a UNIX second and as texts."""

import datetime as dt

import pytest

from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND
from janitor.tokens.times import format_iso, format_minute, format_second, time_of


@pytest.mark.parametrize(
    ("second", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_790_010_780.9, "2026-09-21T17:13:00Z"),
        (FIRST_SECOND, "0001-01-01T00:00:00Z"),
        (LAST_SECOND, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_unix_second_as_a_time_for_programs_and_for_people(second: float, text: str) -> None:
    when = time_of(second)
    assert when.tzinfo is dt.UTC
    assert format_iso(when) == text
    assert format_second(when) == text[:-1].replace("T", " ")
    assert format_minute(when) == format_second(when)[:-3]
