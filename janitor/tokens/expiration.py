"""Read `tokenExpiration`: the whole second that LISA compares with, and what is wrong with a date that is not valid.

LISA reads the attribute through boto3 and calls `int()` on it (lambda/authorizer/lambda_functions.py at v5.4.0 and
v6.6.0), which truncates towards zero.
"""

import datetime as dt
from decimal import Clamped, Context, Decimal, DecimalException, Inexact, Overflow, Rounded, Underflow

from janitor.tokens.row import Value

# The largest number that counts as seconds: 16 November 5138. Anything above is milliseconds, or worse.
MAX_SECONDS = 99_999_999_999
_DIGITS_OF_SECONDS = len(str(MAX_SECONDS))
MAX_MILLISECONDS = MAX_SECONDS * 1_000 + 999
MAX_MICROSECONDS = MAX_SECONDS * 1_000_000 + 999_999

# The dates that Python's datetime can hold, in UNIX seconds: the years 1 and 9999.
FIRST_SECOND = -62_135_596_800
LAST_SECOND = 253_402_300_799

# The largest exponent of a number in DynamoDB. A dump may hold any, and `int()` would expand it to every digit.
_MAX_EXPONENT = 126

# boto3's own context (boto3.dynamodb.types.DYNAMODB_CONTEXT): it refuses a number that it cannot hold exactly, so
# every gate of LISA rejects a row with such a number.
_BOTO3 = Context(Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow])


def whole_seconds(number: str) -> int | None:
    """Truncate the text of a number towards zero; None when DynamoDB could not hold such a number."""
    try:
        if number.isdecimal():
            return int(number)
        value = Decimal(number)
        return int(value) if value.adjusted() <= _MAX_EXPONENT else None
    except (ArithmeticError, ValueError):
        return None


def plain_second(value: Value | None) -> int | None:
    """Return the date if it is as LISA itself writes it: a whole number from 1 to 99 999 999 999 in plain digits.

    Every rule reads such a date in the same way. None for any other date, which each rule has to read for itself.
    """
    number = None if value is None else value.N
    if number is None or len(number) > _DIGITS_OF_SECONDS or not (number.isascii() and number.isdecimal()):
        return None
    return int(number) or None


def read_as_lisa(value: Value) -> int | None:
    """Return what `int()` gives LISA for this attribute; None if boto3 or `int()` raises, and LISA rejects."""
    try:
        if value.N is not None:
            is_plain = len(value.N) <= _BOTO3.prec and value.N.isdecimal()
            return int(value.N) if is_plain else int(_BOTO3.create_decimal(value.N))
        if value.S is not None:
            return int(value.S)
        return int(value.BOOL) if value.BOOL is not None else None
    except (DecimalException, ValueError, OverflowError):
        return None


def is_whole_number(number: str) -> bool:
    """Whether boto3 can hold the number, and it has no fraction: what pydantic takes for an `int`."""
    if len(number) <= _BOTO3.prec and number.isdecimal():
        return True
    try:
        value = _BOTO3.create_decimal(number)
    except DecimalException:
        return False
    return value.is_finite() and value == value.to_integral_value()


def read_expiration(value: Value) -> tuple[int | None, str | None]:
    """Return the expiry in whole UNIX seconds and None, or None and the reason why the date is malformed."""
    seconds = whole_seconds(value.N) if value.N is not None else None
    if seconds is None:
        return None, "not-a-number"
    if seconds <= MAX_SECONDS:
        return seconds, None
    if seconds <= MAX_MILLISECONDS:
        return None, "looks-like-milliseconds"
    if seconds <= MAX_MICROSECONDS:
        return None, "looks-like-microseconds"
    return None, "out-of-range"


def guess_intended_expiry(value: Value) -> int | None:
    """Guess the UNIX second that a malformed date was meant to be; None if there is no good guess.

    Milliseconds and microseconds are scaled down; a number stored as text and an ISO 8601 date are parsed.
    """
    if value.N is not None:
        return _scale_to_seconds(whole_seconds(value.N))
    if value.S is None:
        return None
    text = value.S.strip()
    try:
        return _scale_to_seconds(int(text))
    except ValueError:
        return parse_iso_second(text)


def calendar_time(second: int) -> dt.datetime | None:
    """Return the UTC time of a UNIX second, or None outside the years 1 to 9999."""
    if not FIRST_SECOND <= second <= LAST_SECOND:
        return None
    return dt.datetime.fromtimestamp(second, dt.UTC)


def parse_iso_second(text: str) -> int | None:
    """Return the UNIX second of an ISO 8601 time, in UTC if it names no zone; None if the text is none."""
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp())


def _scale_to_seconds(number: int | None) -> int | None:
    if number is None or number > MAX_MICROSECONDS:
        return None
    if number > MAX_MILLISECONDS:
        return number // 1_000_000
    if number > MAX_SECONDS:
        return number // 1_000
    return number
