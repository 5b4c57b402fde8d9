"""Structured logs on stderr: JSON lines, or a readable console. Set up once, by the command line.

No line of ours ever holds a row's key. botocore's debug lines print whole requests and responses; only their pattern is
kept. As a last defense, the last processor of the chain removes everything that looks like a key.
"""

import logging
import os
import sys
import uuid
from collections.abc import Mapping
from typing import Any, TextIO

from janitor import __version__
from janitor.settings.output import JOB_VARIABLE, LogSettings
from janitor.terminal import is_terminal, shows_colours
from janitor.tokens.printable import escape_invisible, printable
from janitor.tokens.redact import remove_keys

# structlog imports rich for tracebacks on a console, which ours never show. That costs as much CPU as the rest of the
# import, so rich is hidden meanwhile, unless it is loaded already.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # Python's way to say that there is no such module
import structlog  # noqa: E402
from structlog.contextvars import bind_contextvars as bind  # noqa: E402
from structlog.contextvars import bound_contextvars as bound  # noqa: E402
from structlog.contextvars import unbind_contextvars as unbind  # noqa: E402
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]

__all__ = ["REMOVED", "bind", "bound", "configure", "describe_bug", "frames", "get_logger", "start_logging", "unbind"]

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
# Events of problems that the report's remarks, or stderr, explain at the end of the run. On a terminal they count as
# info, so that nobody reads a sentence twice; elsewhere their time is worth a line.
SHOWN_AT_END = frozenset(
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
# Their lines hold requests, responses, headers, or the text of an error that may hold one, at any level.
_WIRE_LOGGERS = ("asyncio", "boto3", "botocore", "concurrent", "s3transfer", "urllib3")
# Of those, the loggers whose lines hold only numbers and names.
_SAFE_LOGGERS = ("botocore.retries",)
_LOWEST_LEVELS = {
    "botocore": logging.WARNING,
    "urllib3": logging.WARNING,
    "botocore.credentials": logging.ERROR,
    "botocore.tokens": logging.ERROR,
}


def get_logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a module. It takes an event's name, and its fields as keywords. Never pass a secret."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def configure(*, level: str, format_name: str, stream: TextIO | None = None) -> None:
    """Send every log, ours and the standard library's, to stderr in one form.

    Args:
        level: the lowest level that is shown: `debug`, `info`, `warning` or `error`.
        format_name: `json` or `console`.
        stream: where the lines go; None for whatever `sys.stderr` is at the time of each line.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_shown_at_end = LEVELS[level] > logging.INFO and is_terminal(stream or sys.stderr)
    drops: list[Processor] = [drop_shown_at_end] if is_shown_at_end else []
    structlog.configure(
        processors=[*drops, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
                replace_exception,
                remove_row_keys,
                _renderer(format_name, handler),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    # At info botocore logs where it found credentials and endpoints, several times a run; that is for debugging. If it
    # finds no credentials, the error that ends the run says why.
    for name, lowest in _LOWEST_LEVELS.items():
        logging.getLogger(name).setLevel(LEVELS[level] if level == "debug" else max(LEVELS[level], lowest))


def start_logging(settings: LogSettings) -> str:
    """Configure logging, and return the run's id, which every log line carries together with the job's name, if any."""
    format_name, level = ("console", "warning") if sys.stderr.isatty() else ("json", "info")
    configure(level=settings.log_level or level, format_name=settings.log_format or format_name)
    run_id = uuid.uuid4().hex[:16]
    # Set by `janitor serve` for the runs that it starts.
    job = os.environ.get(JOB_VARIABLE)
    bind(run_id=run_id, **({"job": job} if job else {}))
    return run_id


def be_quiet_unless_configured() -> None:
    """Drop our own lines below error in a process that somebody else configures, such as a worker of a cluster.

    The standard library's logging stays as it is there.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.add_log_level, remove_row_keys, structlog.processors.JSONRenderer()],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        )


def drop_shown_at_end(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the events of `SHOWN_AT_END`."""
    if event.get("event") in SHOWN_AT_END:
        raise structlog.DropEvent
    return event


def keep_pattern_only(record: logging.LogRecord) -> bool:
    """Reduce a third-party line to its pattern, without the request, the response or the error that would fill it.

    For the libraries that call AWS, or log exceptions, at every level; for others below info.
    """
    is_ours = record.name.startswith("janitor")
    is_wire = record.name.partition(".")[0] in _WIRE_LOGGERS
    if not is_ours and (is_wire or record.levelno < logging.INFO) and not record.name.startswith(_SAFE_LOGGERS):
        record.msg, record.args = str(record.msg).split("\n", 1)[0], ()
        if record.levelno < logging.INFO:
            record.exc_info = None
    return True


def replace_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and its places in the code: its message and locals could hold a row."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["frames"] = frames(error)
    return event


def frames(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last: module, line and function, without any values."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{step.tb_frame.f_globals.get('__name__', '?')}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return places


def describe_bug(error: BaseException) -> str:
    """A sentence that an error is a bug, without its message and the values of its frames: both could hold a row."""
    where = (frames(error) or ["?"])[-1]
    return f"a bug in janitor {__version__}: {type(error).__name__} at {where}; please report it with this line"


def remove_row_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove everything that looks like a row's key, at any depth: a last defense, which nothing relies on."""
    return {name: _remove_keys_in(name, value) for name, value in event.items()}


def _remove_keys_in(name: str, value: Any) -> Any:
    if name.lower() in _ROW_FIELDS:
        return REMOVED
    match value:
        case str():
            return remove_keys(value)
        case bytes():
            return REMOVED
        case Mapping():
            return {str(key): _remove_keys_in(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_remove_keys_in("", inner) for inner in value]
        case _:
            return value


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to the `sys.stderr` of the moment: a progress bar replaces it while it is shown."""

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
        # Values that are not texts are written by `repr`, which escapes what is not printable.
        logger,
        name,
        {field: printable(value) if isinstance(value, str) else value for field, value in event.items()},
    )
