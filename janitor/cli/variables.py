"""Environment variables that begin with JANITOR_: each is known to a command, or ends the run before it reads anything.

A misspelt variable would go unheard, and it may be the one that was to protect something.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import click

from janitor.config.output import JOB_VARIABLE
from janitor.errors import ConfigurationError
from janitor.settings import ENVIRONMENT_PREFIX
from janitor.tokens.plain import plain

# One that is read, and is no option's: the daemon tells a run its job.
_OF_NO_OPTION = frozenset({JOB_VARIABLE})

_DRY_RUN = f"{ENVIRONMENT_PREFIX}DRY_RUN"
_FORBIDS = f"{_DRY_RUN}=1 forbids every delete"
# What a name that is like none must not be led to: it says yes to deletes, or that nothing is kept of them.
_NEVER_FAR = frozenset({"YES", "NO_ARCHIVE", "ALL"})
_IS_NEAR = 0.7
_MEANS_NO_DELETE = re.compile(
    r"(NO|NOT|NEVER|DONT|DISABLE|SKIP|FORBID|PREVENT)_?DELET|(READ|REPORT|SCAN)_?ONLY|NO_?OP|SIMULAT|DRY"
).search
_ABOUT_DELETING = frozenset({"DELETE", "CHECK", "ENABLED"})

# What Kubernetes tells a container of every service of its namespace, `enableServiceLinks: false` aside: of one named
# `janitor`, or `janitor-state`, in variables that begin like ours.
_SERVICE_LINKS = (
    (r"SERVICE_HOST", r"[0-9a-fA-F.:]+"),
    (r"SERVICE_PORT(_\w+)?", r"\d+"),
    (r"PORT", r"(tcp|udp|sctp)://\S+"),
    (r"PORT_\d+_(TCP|UDP|SCTP)", r"(tcp|udp|sctp)://\S+"),
    (r"PORT_\d+_(TCP|UDP|SCTP)_PROTO", r"tcp|udp|sctp"),
    (r"PORT_\d+_(TCP|UDP|SCTP)_PORT", r"\d+"),
    (r"PORT_\d+_(TCP|UDP|SCTP)_ADDR", r"[0-9a-fA-F.:]+"),
)


def refuse_unknown_variables(
    environment: Mapping[str, str], program: click.Command, command: click.Command | None = None
) -> None:
    """See that each variable that begins like one of janitor's is one that some command reads.

    Args:
        environment: all variables. One in lower case, or with dashes, begins like ours too: it was meant so.
        program: the command that has all others below it, which are imported only where that is needed.
        command: the one that runs, whose own variables are looked at first.

    Raises:
        ConfigurationError: one is not. The error names the nearest that is, and shows no value.
    """
    ours = {name for name, value in environment.items() if _is_ours(name, value)}
    if command is not None:
        ours -= known_variables(command)
    if not ours:
        return
    known = known_variables(program)
    unknown = sorted(ours - known)
    if not unknown:
        return
    typed = frozenset(_typed_options(program))
    raise ConfigurationError(
        ". ".join(f"{plain(name)} is no variable of janitor, {_hint(name, known, typed)}" for name in unknown),
        "nothing was read: write the name that is meant, or take the variable away",
        "unknown-variable",
    )


def known_variables(program: click.Command) -> AbstractSet[str]:
    """The variables that some command below this one reads."""
    of_options = {option.envvar for option in _options(program) if isinstance(option.envvar, str)}
    return of_options | _OF_NO_OPTION


def nearest_variable(name: str, known: AbstractSet[str]) -> str:
    """The known variable whose name is most like this one."""
    return _nearest(_bare(name), known)


def _is_ours(name: str, value: str) -> bool:
    return _written_right(name).startswith(ENVIRONMENT_PREFIX) and not _is_service_link(name, value)


def _written_right(name: str) -> str:
    """The name in capitals and with underscores, and without what an env file left around it."""
    return re.sub(r"[-.\s]", "_", name.strip("\ufeff \t\r\n").upper())


def _bare(name: str) -> str:
    return re.sub("__+", "_", _written_right(name)).removeprefix(ENVIRONMENT_PREFIX)


def _is_service_link(name: str, value: str) -> bool:
    if not name.startswith(ENVIRONMENT_PREFIX):
        return False
    rest = name.removeprefix(ENVIRONMENT_PREFIX)
    return any(re.fullmatch(rf"([A-Z0-9_]+_)?{form}", rest) and re.fullmatch(of, value) for form, of in _SERVICE_LINKS)


def _hint(name: str, known: AbstractSet[str], typed: AbstractSet[str]) -> str:
    bare = _bare(name)
    if _MEANS_NO_DELETE(bare):
        return f"did you mean {_DRY_RUN}? {_FORBIDS}"
    forbids = f"; {_FORBIDS}" if bare.rpartition("_")[2] in _ABOUT_DELETING else ""
    if bare in typed:
        return f"--{bare.lower().replace('_', '-')} is taken as typed only{forbids}"
    of_file = _in_a_schedule_file(bare)
    if of_file is not None:
        key, field = of_file
        variable = f"{ENVIRONMENT_PREFIX}{field.upper()}"
        return f"did you mean {variable}?" if variable in known else f"only a schedule file says {key}{forbids}"
    return f"did you mean {_nearest(bare, known)}?"


def _nearest(bare: str, known: AbstractSet[str]) -> str:
    names = sorted(name.removeprefix(ENVIRONMENT_PREFIX) for name in known)
    near = difflib.get_close_matches(bare, names, n=1, cutoff=_IS_NEAR)
    far = difflib.get_close_matches(bare, [name for name in names if name not in _NEVER_FAR], n=1, cutoff=0.0)
    return f"{ENVIRONMENT_PREFIX}{(near or far)[0]}"


def _in_a_schedule_file(bare: str) -> tuple[str, str] | None:
    """What a schedule file calls by this name, as `[section] key`, and the setting that it is."""
    from janitor.config.schedule_keys import SECTIONS, THRESHOLDS

    if f"{ENVIRONMENT_PREFIX}{bare}" in _OF_NO_OPTION:
        return None
    for section, keys in SECTIONS.items():
        for name, key in keys.items():
            if bare in (name.upper(), f"{section}_{name}".upper()):
                return f"[{section}] {name}", "expiring_within" if name == THRESHOLDS else key.field
    return None


def _options(command: click.Command) -> Iterator[click.Parameter]:
    if not isinstance(command, click.Group):
        yield from command.params
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from _options(inner)


def _typed_options(program: click.Command) -> Iterator[str]:
    for option in _options(program):
        if isinstance(option, click.Option) and option.envvar is None and option.name:
            yield option.name.upper()
