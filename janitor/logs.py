"""Structured logs on stderr: JSON lines, or a readable console. Set up once, by the command line.

No line of ours ever holds a row's key, and of botocore's debug lines, which print whole requests and answers, only the
pattern is kept. The last processor of the chain removes what looks like a key all the same.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from janitor import __version__
from janitor.terminal import is_terminal, shows_colours
from janitor.tokens.printable import escape_invisible, printable
from janitor.tokens.redact import without_keys

# structlog imports rich for tracebacks on a console, which ours never show. That is as much CPU as all the rest of it,
# so while it is imported there is no rich, unless somebody has it already.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # how Python says that there is no such module
import structlog  # noqa: E402
from structlog.contextvars import bind_contextvars as bind  # noqa: E402
from structlog.contextvars import bound_contextvars as bound  # noqa: E402
from structlog.contextvars import unbind_contextvars as unbind  # noqa: E402
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]

__all__ = ["REMOVED", "bind", "bound", "bug_sentence", "configure", "frames", "get_logger", "unbind"]

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
# Moments at which something goes wrong that is said in full at the end, by the report's remarks or on stderr. Where
# somebody watches they are logged as info, so that nobody reads a sentence twice; elsewhere their time is worth a line.
SAID_AT_THE_END = frozenset(
    {
        "archive.incomplete",
        "clock.skewed",
        "digest.not_published",
        "lease.broken",
        "lease.lost",
        "report.not_written",
        "scan.failed",
        "state.failed",
        "state.not_loaded",
        "sweep.broken_off",
    }
)
# Whose lines hold requests, answers, headers, or the text of an error that may hold one, at any level.
_WIRE_LOGGERS = ("asyncio", "boto3", "botocore", "concurrent", "s3transfer", "urllib3")
# Of those the ones that hold nothing but numbers and names.
_SAFE_LOGGERS = ("botocore.retries",)


_LEAST_LEVELS = {
    "botocore": logging.WARNING,
    "urllib3": logging.WARNING,
    "botocore.credentials": logging.ERROR,
    "botocore.tokens": logging.ERROR,
}


def get_logger(name: str) -> FilteringBoundLogger:
    """Return what a module logs with: an event's name, and its fields as keywords. Nothing that is secret in either."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def configure(*, level: str, format_name: str, stream: TextIO | None = None) -> None:
    """Send every log, ours and the standard library's, to stderr in one form.

    Args:
        level: the least level that is shown: `debug`, `info`, `warning` or `error`.
        format_name: `json` or `console`.
        stream: where to, `sys.stderr` as it is at the time of each line when None.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # On a terminal they are as good as info.
    is_said_once = LEVELS[level] > logging.INFO and is_terminal(stream or sys.stderr)
    once: list[Processor] = [drop_what_the_end_says] if is_said_once else []
    structlog.configure(
        processors=[*once, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    handler = _Stderr(stream)
    handler.addFilter(keep_pattern_only)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                frames_only,
                remove_row_keys,
                _renderer(format_name, handler),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    # At info botocore tells where it found credentials and endpoints, several times a run; that is for debugging.
    # Why credentials are not to be had is said by the error that ends the run, in a sentence.
    for name, least in _LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(LEVELS[level] if level == "debug" else max(LEVELS[level], least))


def be_quiet_unless_configured() -> None:
    """Let our own lines below an error go nowhere, in a process that somebody else set up, as a worker of a cluster.

    How the standard library logs there stays as it is.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.add_log_level, remove_row_keys, structlog.processors.JSONRenderer()],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        )


def drop_what_the_end_says(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the moments of `SAID_AT_THE_END`."""
    if event.get("event") in SAID_AT_THE_END:
        raise structlog.DropEvent
    return event


def keep_pattern_only(record: logging.LogRecord) -> bool:
    """Keep of a third-party line its pattern, without the request, the answer or the error that would fill it.

    Of the libraries that speak to AWS, or tell of any exception, that is so at every level; of others below info.
    """
    is_ours = record.name.startswith("janitor")
    is_wire = record.name.partition(".")[0] in _WIRE_LOGGERS
    if not is_ours and (is_wire or record.levelno < logging.INFO) and not record.name.startswith(_SAFE_LOGGERS):
        record.msg, record.args = str(record.msg).split("\n", 1)[0], ()
        if record.levelno < logging.INFO:
            record.exc_info = None
    return True


def frames_only(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put an exception's type and its places in the code where its message, its values and its locals would stand."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["frames"] = frames(error)
    return event


def frames(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last: module, line and function, and nothing of what they held."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{step.tb_frame.f_globals.get('__name__', '?')}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return places


def bug_sentence(error: BaseException) -> str:
    """That an error is a bug, for people. Neither its message nor the values of its frames: either could hold a row."""
    where = (frames(error) or ["?"])[-1]
    return f"a bug in janitor {__version__}: {type(error).__name__} at {where}; please report it with this line"


def remove_row_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove whatever looks like a row's key, at any depth: the last line of defence, which nothing relies on."""
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


def _renderer(format_name: str, handler: _Stderr) -> Processor:
    if format_name == "json":
        json = structlog.processors.JSONRenderer(ensure_ascii=False)
        return lambda logger, name, event: escape_invisible(
            bytes(str(json(logger, name, event)), "utf-8", "replace")
        ).decode()
    console = structlog.dev.ConsoleRenderer(colors=shows_colours(handler.stream), pad_event_to=20)
    return lambda logger, name, event: console(
        # What is no text is written by `repr`, which shows what is not printable.
        logger,
        name,
        {field: printable(value) if isinstance(value, str) else value for field, value in event.items()},
    )
