"""exit-codes.md: each exit code, and the errors that end a run with it."""

import importlib
import inspect
import pkgutil
import re
import signal
from collections.abc import Iterator

import janitor
from janitor.errors import ExitCode, JanitorError, signal_exit_code
from tests.reference.markdown import code, page, prose, sentence, table

_ENTRY = re.compile(r"^    (\w+): (.*(?:\n     .*)*)", re.MULTILINE)
_OPENING = """\
After this page you know what the exit code of a run says, and what to do about it in a script.

With several tables it is 1 where one of them failed, and 4 where one was refused and none failed. Of a run that found its table
at work in another run (`skipped`) it is 0."""


def build_exit_codes_page() -> str:
    """The codes, and the kinds of errors."""
    meanings = dict(_ENTRY.findall(inspect.getdoc(ExitCode) or ""))
    rows = [(str(int(each)), sentence(" ".join(meanings[each.name].split()))) for each in ExitCode]
    stopped = [signal_exit_code(number) for number in (signal.SIGINT, signal.SIGTERM)]
    rows.append((", ".join(map(str, stopped)), "Stopped by SIGINT, SIGTERM; the report says `interrupted`."))
    errors = [
        (
            code(error.default_code),
            str(int(error.exit_code)),
            prose((inspect.getdoc(error) or "").split("\n\n")[0].replace("\n", " ")),
        )
        for error in sorted(
            set(_errors(JanitorError)), key=lambda error: (error.exit_code, error.default_code, error.__qualname__)
        )
        if error.default_code != JanitorError.default_code
    ]
    return page(
        "Exit codes",
        _OPENING,
        table(("code", "meaning"), rows),
        "## Kinds of errors",
        "An error's `code` stands in the report's `errors` and in the log (`run.error`). Many errors have a code of their own, "
        "such as that of AWS; those without have the one of their kind:",
        table(("kind", "exit code", "what it means"), errors),
    )


def _errors(kind: type[JanitorError]) -> Iterator[type[JanitorError]]:
    for module in pkgutil.walk_packages(janitor.__path__, "janitor."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    yield from _below(kind)


def _below(kind: type[JanitorError]) -> Iterator[type[JanitorError]]:
    for each in kind.__subclasses__():
        # An error that another module of the tests defines is none of the program's.
        if each.__module__.startswith("janitor."):
            yield each
            yield from _below(each)
