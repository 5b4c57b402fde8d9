"""How a setting is declared: as a field of a frozen dataclass, with everything that the command line needs to know.

A group of settings is a subclass of `Settings`, which also has the origin of each value. So code that has to know
whether a value was given as a flag asks the settings, and never the command line.
"""

import dataclasses
import enum
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

ENVIRONMENT_PREFIX = "JANITOR_"

_METADATA_KEY = "setting"

_WAY_OUT = 'write a JSON array of strings, like ["a", "b"], or one value a line'

# As click reads a switch's variable.
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"", "0", "false", "f", "no", "n", "off"})


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a field is given on the command line.

    Attributes:
        help: its help, without the default and the variable, which are added.
        metavar: stands for the value in the help.
        parse: turns a text into the value; raises ValueError with a sentence that says what would be right.
        choices: the only texts allowed, if there are few.
        default: the default as a text, as the user would write it, several with spaces between them; None for none.
        default_words: how the help describes the default, where its text would not do.
        value_if_bare: the value of a flag that nothing follows; a variable or a key says `true` for it.
        is_repeatable: whether it may be given more than once; `split_values` says how its variable holds several.
        may_hold_spaces: whether one of several values may contain a space.
        is_switch: whether it takes no value.
        is_flag_only: whether it has no variable. A variable may be set for many commands, and must not choose what to
            delete, nor consent to it.
    """

    help: str
    metavar: str = "TEXT"
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    default: str | None = None
    default_words: str | None = None
    value_if_bare: str | None = None
    is_repeatable: bool = False
    may_hold_spaces: bool = False
    is_switch: bool = False
    is_flag_only: bool = False

    def parse_text(self, text: str) -> Any:
        """The value of one text.

        Raises:
            ValueError: the text is wrong; the sentence says what would be right.
        """
        if self.value_if_bare is not None and text:
            answer = parse_switch(text)
            if answer is False:
                raise ValueError(f"{text!r} names nothing; leave it out to go without it")
            text = self.value_if_bare if answer else text
        return self.parse(text)


class Origin(enum.Enum):
    """Where the value of a setting comes from; each beats those below it."""

    FLAG = enum.auto()
    VARIABLE = enum.auto()
    FILE = enum.auto()
    DEFAULT = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A group of settings, each a field made with `setting`.

    Attributes:
        origins: where the values come from, by the settings' names; a setting without an entry has its default.
    """

    origins: Mapping[str, Origin] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def given_by_flag(self, *names: str) -> list[str]:
        """Those of these settings that are given as flags, in this order."""
        return [name for name in names if self.origins.get(name) is Origin.FLAG]

    def is_given(self, name: str) -> bool:
        """Whether a flag or a variable gives this setting, not a file or the default."""
        return self.origins.get(name, Origin.DEFAULT) in {Origin.FLAG, Origin.VARIABLE}

    def is_chosen(self, name: str) -> bool:
        """Whether a flag or a schedule file gives this setting; a variable may be meant for other commands."""
        return self.origins.get(name) in {Origin.FLAG, Origin.FILE}

    def choose(self, names: Iterable[str]) -> list[str]:
        """Of settings that exclude each other, all with a value, those that count: the flags, or all if none is a flag.

        A flag beats the environment, even where they are different settings.
        """
        every = list(names)
        return self.given_by_flag(*every) or every

    def spell(self, names: Iterable[str]) -> str:
        """These settings as the user gave them, for an error: as flags if one of them is a flag, else as variables."""
        every = list(names)
        return " and ".join(map(flag if self.given_by_flag(*every) else variable, every))


def flag(name: str) -> str:
    """The flag of a setting: `--expiring-within` for `expiring_within`."""
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of a setting: `JANITOR_EXPIRING_WITHIN` for `expiring_within`."""
    return ENVIRONMENT_PREFIX + name.upper()


def setting(help_: str, **options: Any) -> Any:
    """Make a field of a group of settings; the options are the attributes of `Setting`."""
    declared = Setting(help=help_, **options)
    if declared.is_switch:
        value: Any = False
    elif declared.default is None:
        value = () if declared.is_repeatable else None
    elif declared.is_repeatable:
        value = tuple(declared.parse(part) for part in declared.default.split())
    else:
        value = declared.parse(declared.default)
    return dataclasses.field(default=value, metadata={_METADATA_KEY: declared})


def reuse(group: type, name: str) -> Any:
    """Reuse one field of another group, for a command that needs no others of it."""
    [field] = [field for field in dataclasses.fields(group) if field.name == name]
    return dataclasses.field(default=field.default, metadata=field.metadata)


def settings_of(group: type) -> dict[str, Setting]:
    """The settings of a group by field name, in the order of their fields."""
    fields = dataclasses.fields(group)
    return {field.name: field.metadata[_METADATA_KEY] for field in fields if _METADATA_KEY in field.metadata}


def parse_switch(text: str) -> bool | None:
    """The value of a switch's variable; None if it is neither yes nor no. An empty variable is a no, as if unset."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def split_values(setting: Setting, text: str) -> list[str]:
    """Split the variable of a repeatable setting into its values.

    The text is a JSON array of strings, or has one value a line. Spaces separate values too if no value can contain
    one.

    Raises:
        ValueError: it looks like a JSON array, and is none. The sentence says where it breaks, and does not repeat it.
    """
    content = text.strip()
    if content.startswith(('["', "['")) or (content.startswith("[") and content.endswith("]")):
        return _parse_array(content)
    if not setting.may_hold_spaces:
        return content.split()
    # Not `splitlines`, which also splits at characters that end no line of an env file.
    return [line.strip() for line in content.split("\n") if line.strip()]


def _parse_array(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        where = "ends too early" if error.pos >= len(text) else f"breaks at character {error.pos + 1}"
        raise ValueError(f"the value begins as a JSON array and {where} ({error.msg}); {_WAY_OUT}") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"the value is a JSON array, but not of strings; {_WAY_OUT}")
    return values
