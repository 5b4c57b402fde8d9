"""Structured logs on stderr: JSON lines, or a readable console. Set up once, by the command line.

They are the standard library's own, so that botocore's lines and ours go one way. A module of ours takes `Log(name)`
and gives each event a name and fields: `log.info("run.started", table=name)`.

No line of ours ever holds a row's key, and of botocore's debug lines, which print whole requests and answers, only the
pattern is kept. Every field that looks like a key is removed all the same before a line is written.
"""

import contextlib
import datetime as dt
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TextIO

from janitor.tokens.shown import without_keys

REMOVED = "[removed]"
LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}

# Field names under which a row, or a part of one, could travel.
_ROW_FIELDS = frozenset(
    {
        "body",
        "exclusivestartkey",
        "item",
        "items",
        "key",
        "keys",
        "lastevaluatedkey",
        "next_key",
        "old",
        "row",
        "rows_raw",
        "token",
        "tokens",
    }
)
# The third-party loggers whose lines never carry a request, an answer or a header.
_SAFE_LOGGERS = ("botocore.retries", "botocore.credentials", "urllib3.connectionpool", "urllib3.util.retry")
_COLOURS = {"debug": "\33[32m", "info": "\33[32m", "warning": "\33[33m", "error": "\33[31m"}
_BOLD, _DIM, _PLAIN = "\33[1m", "\33[2m", "\33[0m"
_EVENT_WIDTH = 20

_context: ContextVar[Mapping[str, object]] = ContextVar("janitor.logs", default={})  # noqa: B039  # never changed


class Log:
    """A module's way to log: events by name, with fields. What it is given are values, never a text."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        """Log what only whoever looks for a fault wants to know."""
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what went as it should."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what somebody should look at."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what failed."""
        self._log(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log what failed, and where in the code the exception that is being handled came from."""
        self._log(logging.ERROR, event, fields, is_exception=True)

    def _log(self, level: int, event: str, fields: dict[str, object], *, is_exception: bool = False) -> None:
        # As one attribute of the record: a field may be named like one of its own, which `extra` refuses.
        self._logger.log(level, event, exc_info=is_exception, extra={"fields": fields})


def bind(**fields: object) -> None:
    """Give every further line of this thread these fields."""
    _context.set({**_context.get(), **fields})


def unbind(*names: str) -> None:
    """Take these fields away again, where they are there."""
    _context.set({name: value for name, value in _context.get().items() if name not in names})


@contextlib.contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Give every line of this thread these fields inside the block."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def configure(*, level: str, format_name: str, stream: TextIO | None = None) -> None:
    """Send every log, ours and the standard library's, to stderr in one form.

    Args:
        level: the least level that is shown: `debug`, `info`, `warning` or `error`.
        format_name: `json` or `console`.
        stream: where to, `sys.stderr` as it is at the time of each line when None.
    """
    handler = _Stderr(stream)
    handler.addFilter(keep_pattern_only)
    handler.setFormatter(_Json() if format_name == "json" else _Console(colours=handler.stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    # At info botocore tells where it found credentials and endpoints, several times a run; that is for debugging.
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(LEVELS[level] if level == "debug" else max(LEVELS[level], logging.WARNING))


def keep_pattern_only(record: logging.LogRecord) -> bool:
    """Keep of a third-party debug line its pattern, without the request or the answer that would fill it."""
    is_ours = record.name.startswith("janitor")
    if not is_ours and record.levelno < logging.INFO and not record.name.startswith(_SAFE_LOGGERS):
        record.msg, record.args = str(record.msg).split("\n", 1)[0], ()
        record.exc_info = None
    return True


def frames(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last: module, line and function, and nothing of what they held."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{step.tb_frame.f_globals.get('__name__', '?')}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return places


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Everything that a line says, by name: the event's own fields first, then the event, the context, level and time.

    An exception is its type and its places in the code, without its message, its values and its locals. Whatever looks
    like a row's key is removed, at any depth: the last line of defence, which nothing relies on.
    """
    event: dict[str, Any] = {**getattr(record, "fields", {}), "event": record.getMessage()}
    event = {**event, **{name: value for name, value in _context.get().items() if name not in event}}
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    event["timestamp"] = f"{dt.datetime.fromtimestamp(record.created, dt.UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        event["exception"] = type(error).__name__
        event["frames"] = frames(error)
    return {name: _cleaned(name, value) for name, value in event.items()}


def _cleaned(name: str, value: Any) -> Any:
    if name.lower() in _ROW_FIELDS:
        return REMOVED
    match value:
        case str():
            return without_keys(value)
        case bytes():
            return REMOVED
        case Mapping():
            return {str(key): _cleaned(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned("", inner) for inner in value]
        case _:
            return value


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to `sys.stderr` as it is now: a progress bar puts its own stream there while it is shown."""

    def __init__(self, stream: TextIO | None) -> None:
        self._fixed = stream
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return self._fixed or sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        self._fixed = stream


class _Json(logging.Formatter):
    """A JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(fields_of(record), ensure_ascii=False, default=repr)


class _Console(logging.Formatter):
    """A line for a person: time, level, event, and the other fields in the order of their names."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        fields = fields_of(record)
        time, level, event = (fields.pop(name) for name in ("timestamp", "level", "event"))
        logger = fields.pop("logger")
        words = [
            self._in(_DIM, time),
            f"[{self._in(_COLOURS.get(level, ''), f'{level:<9}')}]",
            self._in(_BOLD, f"{event:<{_EVENT_WIDTH}}"),
            f"[{self._in(_BOLD, logger)}]",
            *(f"{name}={_told(value)}" for name, value in sorted(fields.items())),
        ]
        return " ".join(words)

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours and colour else text


def _told(value: object) -> str:
    """A text as it stands where it is one word, anything else as Python writes it."""
    is_word = isinstance(value, str) and value.isprintable() and not set(value) & set(" \t=\"'")
    return str(value) if is_word else repr(value)
