"""Checks the environment variables that begin with JANITOR_, before a command reads anything.

An unknown variable ends the run: a misspelt one would be ignored, and it may be the one that was to protect something.
So does a variable that would spare rows, or let more of them go, if the command does not read it.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import click

from janitor.error_lines import FILE_VARIABLE
from janitor.errors import ConfigurationError
from janitor.settings.output import JOB_VARIABLE
from janitor.settings.setting import ENVIRONMENT_PREFIX, flag, parse_switch
from janitor.tokens.printable import printable

# Variables that are read but are not options. The daemon sets these for its runs.
_NOT_OPTIONS = frozenset({JOB_VARIABLE, FILE_VARIABLE})

_DRY_RUN = f"{ENVIRONMENT_PREFIX}DRY_RUN"
_FORBIDS = f"{_DRY_RUN}=1 forbids every delete"
# Suggested only for a close match: each consents to deletes, or keeps no archive of them.
_ONLY_IF_CLOSE = frozenset({"YES", "NO_ARCHIVE", "ALL"})
_CLOSE_MATCH = 0.7
_MEANS_NO_DELETE = re.compile(
    r"(NO|NOT|NEVER|DONT|DISABLE|SKIP|FORBID|PREVENT)_?DELET|(READ|REPORT|SCAN)_?ONLY|NO_?OP|SIMULAT|DRY"
).search
_ABOUT_DELETING = frozenset({"DELETE", "CHECK", "ENABLED"})

# The commands that delete rows by rules, and all that change rows.
_BY_RULE = frozenset({"sweep", "apply", "run"})
_CHANGING = _BY_RULE | {
    "restore",
    "token add",
    "token extend",
    "token import",
    "token remove",
    "token revoke",
    "token rotate",
}
# The variables that spare rows: which rows, and which commands their user may expect to spare them too. Variables that
# spare nothing are not listed: those for output and speed.
_SPARING = {
    "DRY_RUN": ("every row", _CHANGING),
    "SOURCE": ("the table itself", _CHANGING),
    "AS_OF": ("every row", _CHANGING - {"restore"}),
    "PROTECT_USER": ("rows of some owners", _CHANGING - {"restore"}),
    "PROTECT_SYSTEM": ("rows of system tokens", _CHANGING - {"restore"}),
    "GRACE": ("rows that expired not long ago", _BY_RULE),
    "DIALECT": ("rows that another version of LISA reads differently", _BY_RULE),
    "MAX_CLOCK_SKEW": ("every row, by a wrong clock", _BY_RULE),
    "MAX_DELETES": ("every row, where many are planned", _BY_RULE),
    "MAX_DELETE_PERCENT": ("every row, where many are planned", _BY_RULE),
    "REQUIRE_NOTICE": ("rows that were not announced", _BY_RULE),
    "NOTICE_AGE": ("rows that were announced not long ago", _BY_RULE),
    "FINGERPRINT": ("all other rows", _BY_RULE),
    "USER": ("the rows of other owners", _BY_RULE),
}
# The command whose plan says what goes, and the variables whose user may expect it to let more rows go.
_BY_PLAN = "apply"
_WIDENING = ("UNLOCK_AFTER", "GATES")

# Kubernetes sets variables for every service of the namespace, unless `enableServiceLinks: false`. Those for a service
# named `janitor`, or `janitor-state`, begin like ours.
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
    """Check that some command reads each variable that begins with JANITOR_.

    Args:
        environment: all variables. Lower case and dashes count as ours too, because that is what was meant.
        program: the group of all commands, which are imported only if needed.
        command: the command that runs, whose own variables are looked up first.

    Raises:
        ConfigurationError: no command reads one of them. The error suggests the nearest name, and shows no value.
    """
    ours = {name for name, value in environment.items() if _is_ours(name, value)}
    if command is not None:
        ours -= list_known_variables(command)
    if not ours:
        return
    known = list_known_variables(program)
    unknown = sorted(ours - known)
    if not unknown:
        return
    flag_only = frozenset(_list_flag_only_options(program))
    raise ConfigurationError(
        ". ".join(
            f"{printable(name)} is not a variable of janitor; {_suggest(name, known, flag_only)}" for name in unknown
        ),
        "nothing was read: correct the name, or unset the variable",
        "unknown-variable",
    )


def refuse_ignored_variables(environment: Mapping[str, str], name: str, command: click.Command) -> None:
    """Check that no variable is set that decides in another command which rows go, but is not read by this one.

    Args:
        environment: all variables; an empty one counts as unset.
        name: the command's name without the program's: `token remove`.
        command: the command.

    Raises:
        ConfigurationError: there is such a variable.
    """
    known, names = list_known_variables(command), {option.name for option in _list_options(command)}
    sentences = {
        bare: f"would spare {spared}, but `janitor {name}` does not read it"
        for bare, (spared, commands) in _SPARING.items()
        if name in commands
    }
    if name == _BY_PLAN:
        sentences |= dict.fromkeys(_WIDENING, f"has no effect on `janitor {name}`, which goes by its plan")
    for bare, sentence in sentences.items():
        variable = f"{ENVIRONMENT_PREFIX}{bare}"
        if environment.get(variable) and variable not in known:
            instead = f"give {flag(bare.lower())}, or " if bare.lower() in names else ""
            raise ConfigurationError(
                f"{variable} {sentence}",
                f"nothing was read: {instead}unset the variable to go on without it "
                f"(env -u {variable} janitor {name} ...)",
                "unheard-variable",
            )


def refuse_unclear_variables(environment: Mapping[str, str]) -> None:
    """Check that no variable of ours is blank, and that JANITOR_DRY_RUN is a yes or a no.

    Raises:
        ConfigurationError: one has only spaces, so that what was meant is lost; an empty one counts as unset.
    """
    for name, value in sorted(environment.items()):
        if value and not value.strip() and _is_ours(name, value):
            sentence = f"{printable(name)} has only spaces"
            raise ConfigurationError(sentence, "nothing was read: give it a value, or unset it", "unclear-variable")
    if parse_switch(environment.get(_DRY_RUN, "")) is None:
        sentence = f"{_DRY_RUN} is neither yes nor no: it is {printable(environment[_DRY_RUN])!r}"
        raise ConfigurationError(sentence, "nothing was read: set it to 1 or 0, or unset it", "unclear-variable")


def list_known_variables(program: click.Command) -> AbstractSet[str]:
    """The variables that this command, or any command of this group, reads."""
    of_options = {option.envvar for option in _list_options(program) if isinstance(option.envvar, str)}
    return of_options | _NOT_OPTIONS


def find_nearest_variable(name: str, known: AbstractSet[str]) -> str:
    """The known variable with the most similar name."""
    return _find_nearest(_remove_prefix(name), known)


def _is_ours(name: str, value: str) -> bool:
    return _normalize(name).startswith(ENVIRONMENT_PREFIX) and not _is_service_link(name, value)


def _normalize(name: str) -> str:
    """The name in capitals with underscores, without what an env file may leave around it."""
    return re.sub(r"[-.\s]", "_", name.strip("\ufeff \t\r\n").upper())


def _remove_prefix(name: str) -> str:
    return re.sub("__+", "_", _normalize(name)).removeprefix(ENVIRONMENT_PREFIX)


def _is_service_link(name: str, value: str) -> bool:
    if not name.startswith(ENVIRONMENT_PREFIX):
        return False
    rest = name.removeprefix(ENVIRONMENT_PREFIX)
    return any(re.fullmatch(rf"([A-Z0-9_]+_)?{form}", rest) and re.fullmatch(of, value) for form, of in _SERVICE_LINKS)


def _suggest(name: str, known: AbstractSet[str], flag_only: AbstractSet[str]) -> str:
    bare = _remove_prefix(name)
    if _MEANS_NO_DELETE(bare):
        return f"did you mean {_DRY_RUN}? {_FORBIDS}"
    forbids = f"; {_FORBIDS}" if bare.rpartition("_")[2] in _ABOUT_DELETING else ""
    if bare in flag_only:
        return f"--{bare.lower().replace('_', '-')} can only be given as a flag{forbids}"
    of_file = _find_schedule_key(bare)
    if of_file is not None:
        key, field = of_file
        variable = f"{ENVIRONMENT_PREFIX}{field.upper()}"
        return (
            f"did you mean {variable}?" if variable in known else f"{key} can only be set in a schedule file{forbids}"
        )
    return f"did you mean {_find_nearest(bare, known)}?"


def _find_nearest(bare: str, known: AbstractSet[str]) -> str:
    names = sorted(name.removeprefix(ENVIRONMENT_PREFIX) for name in known)
    near = difflib.get_close_matches(bare, names, n=1, cutoff=_CLOSE_MATCH)
    far = difflib.get_close_matches(bare, [name for name in names if name not in _ONLY_IF_CLOSE], n=1, cutoff=0.0)
    return f"{ENVIRONMENT_PREFIX}{(near or far)[0]}"


def _find_schedule_key(bare: str) -> tuple[str, str] | None:
    """The key of a schedule file with this name, as `[section] key`, and the field of its setting."""
    from janitor.settings.schedule_keys import SECTIONS, THRESHOLDS

    if f"{ENVIRONMENT_PREFIX}{bare}" in _NOT_OPTIONS:
        return None
    for section, keys in SECTIONS.items():
        for name, key in keys.items():
            if bare in (name.upper(), f"{section}_{name}".upper()):
                return f"[{section}] {name}", "expiring_within" if name == THRESHOLDS else key.field
    return None


def _list_options(command: click.Command) -> Iterator[click.Parameter]:
    if not isinstance(command, click.Group):
        yield from command.params
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from _list_options(inner)


def _list_flag_only_options(program: click.Command) -> Iterator[str]:
    for option in _list_options(program):
        if isinstance(option, click.Option) and option.envvar is None and option.name:
            yield option.name.upper()
