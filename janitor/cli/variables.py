"""Environment variables that begin with JANITOR_: each is known to a command, or ends the run before it reads anything.

A misspelt variable would go unheard, and it may be the one that was to protect something. So would one that a command
does not read, where another would have spared rows for it: that ends the run too.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import click

from janitor.errors import ConfigurationError
from janitor.settings.output import JOB_VARIABLE
from janitor.settings.setting import ENVIRONMENT_PREFIX, says_yes
from janitor.tokens.printable import printable

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

# What deletes rows that nobody has named, and whatever changes a row at all.
_BY_RULE = frozenset({"sweep", "apply", "run"})
_CHANGING = _BY_RULE | {"restore", "token add", "token extend", "token remove", "token revoke"}
# What a variable spares where it is read, and the commands that somebody who has set it may count on to spare it too.
# Not here: what is said and where, how fast, and what spares nothing.
_SPARING = {
    "DRY_RUN": ("every row", _CHANGING),
    "SOURCE": ("the table itself", _CHANGING),
    "AS_OF": ("every row", _CHANGING - {"restore"}),
    "PROTECT_USER": ("rows of some owners", _CHANGING - {"restore"}),
    "PROTECT_SYSTEM": ("rows of system tokens", _CHANGING - {"restore"}),
    "GRACE": ("rows that expired not long ago", _BY_RULE),
    "DIALECT": ("rows that another LISA reads otherwise", _BY_RULE),
    "MAX_CLOCK_SKEW": ("every row, by a wrong clock", _BY_RULE),
    "MAX_DELETES": ("every row, where many are planned", _BY_RULE),
    "MAX_DELETE_PERCENT": ("every row, where many are planned", _BY_RULE),
    "REQUIRE_NOTICE": ("rows that were not announced", _BY_RULE),
    "NOTICE_AGE": ("rows that were announced not long ago", _BY_RULE),
    "FINGERPRINT": ("all other rows", _BY_RULE),
    "USER": ("the rows of other owners", _BY_RULE),
}

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
        ". ".join(f"{printable(name)} is no variable of janitor, {_hint(name, known, typed)}" for name in unknown),
        "nothing was read: write the name that is meant, or take the variable away",
        "unknown-variable",
    )


def refuse_unheard_variables(environment: Mapping[str, str], name: str, command: click.Command) -> None:
    """See that no variable is set that would spare rows of another command, and that this one does not read.

    Args:
        environment: all variables; an empty one is not set.
        name: the command's, without the program's: `token remove`.
        command: the command.

    Raises:
        ConfigurationError: one is.
    """
    known = known_variables(command)
    for bare, (spared, commands) in _SPARING.items():
        variable = f"{ENVIRONMENT_PREFIX}{bare}"
        if name in commands and environment.get(variable) and variable not in known:
            raise ConfigurationError(
                f"{variable} spares {spared} where it is read, and `janitor {name}` does not read it",
                f"nothing was read: take the variable away to go on without it (env -u {variable} janitor {name} ...)",
                "unheard-variable",
            )


def refuse_unclear_variables(environment: Mapping[str, str]) -> None:
    """See that each variable of ours holds something, and that the one which forbids says yes or no.

    Raises:
        ConfigurationError: one holds nothing but spaces, so that what was meant is lost; an empty one is not set.
    """
    for name, value in sorted(environment.items()):
        if value and not value.strip() and _is_ours(name, value):
            sentence = f"{printable(name)} is set to nothing but spaces"
            raise ConfigurationError(sentence, "nothing was read: give it a value, or take it away", "unclear-variable")
    if says_yes(environment.get(_DRY_RUN, "")) is None:
        sentence = f"{_DRY_RUN} says neither yes nor no: it is {printable(environment[_DRY_RUN])!r}"
        raise ConfigurationError(sentence, "nothing was read: set it to 1 or 0, or take it away", "unclear-variable")


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
    from janitor.settings.schedule_keys import SECTIONS, THRESHOLDS

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
