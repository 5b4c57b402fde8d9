"""How a setting is declared: as a field of a frozen dataclass, with all that the command line has to know of it.

A group of settings is a subclass of `Settings`, which also carries where each value comes from: whoever asks whether a
value was typed asks the settings, and nobody asks the command line.
"""

import dataclasses
import enum
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

ENVIRONMENT_PREFIX = "JANITOR_"

_METADATA_KEY = "setting"

_WAY_OUT = 'write a JSON array of texts, as ["a", "b"], or one value a line'

# As click reads a switch's variable.
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"", "0", "false", "f", "no", "n", "off"})


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a field is said on the command line.

    Attributes:
        help: one sentence, without the default and the variable, which are added.
        metavar: what stands for the value in the help.
        parse: turns a text into the value; raises ValueError with a sentence that says what would be right.
        choices: the only texts allowed, when there are few.
        default: the default as a text, as the user would write it, several with spaces between them; None for none.
        default_words: what the help says about the default where the text alone does not.
        value_if_bare: what the flag means when nothing follows it.
        many: whether it may be given more than once; `values_in` says how its variable holds several.
        may_hold_spaces: whether one of several values may hold a space.
        is_switch: whether it takes no value.
        is_typed: whether it has no variable: one that is set for many commands must not choose what to destroy, nor say
            yes to it.
    """

    help: str
    metavar: str = "TEXT"
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    default: str | None = None
    default_words: str | None = None
    value_if_bare: str | None = None
    many: bool = False
    may_hold_spaces: bool = False
    is_switch: bool = False
    is_typed: bool = False


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

    def typed(self, *names: str) -> list[str]:
        """Those of these settings that the command line itself gives, in this order."""
        return [name for name in names if self.origins.get(name) is Origin.FLAG]

    def is_given(self, name: str) -> bool:
        """Whether a flag or a variable gives this setting, and not a file or the default."""
        return self.origins.get(name, Origin.DEFAULT) in {Origin.FLAG, Origin.VARIABLE}

    def choose(self, names: Iterable[str]) -> list[str]:
        """Of settings that all have a value those that count: the typed ones, and all of them where none is typed.

        A flag beats the environment, also where they say the same thing by different settings.
        """
        every = list(names)
        return self.typed(*every) or every

    def spell(self, names: Iterable[str]) -> str:
        """These settings as the user gave them, for an error: as flags where one is typed, as variables otherwise."""
        every = list(names)
        return " and ".join(map(flag if self.typed(*every) else variable, every))


def flag(name: str) -> str:
    """The flag of a setting: `--expiring-within` of `expiring_within`."""
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of a setting: `JANITOR_EXPIRING_WITHIN` of `expiring_within`."""
    return ENVIRONMENT_PREFIX + name.upper()


def setting(help_: str, **options: Any) -> Any:
    """A field of a group of settings; the options are those of `Setting`."""
    made = Setting(help=help_, **options)
    if made.is_switch:
        value: Any = False
    elif made.default is None:
        value = () if made.many else None
    elif made.many:
        value = tuple(made.parse(part) for part in made.default.split())
    else:
        value = made.parse(made.default)
    return dataclasses.field(default=value, metadata={_METADATA_KEY: made})


def as_in(group: type, name: str) -> Any:
    """The very field of another group, for a command that takes no more of that."""
    [field] = [field for field in dataclasses.fields(group) if field.name == name]
    return dataclasses.field(default=field.default, metadata=field.metadata)


def settings_of(group: type) -> dict[str, Setting]:
    """The settings of a group by field name, in their order."""
    fields = dataclasses.fields(group)
    return {field.name: field.metadata[_METADATA_KEY] for field in fields if _METADATA_KEY in field.metadata}


def says_yes(text: str) -> bool | None:
    """Whether a switch's variable says yes; None where neither yes nor no. An empty one says no, as if unset."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def values_in(setting: Setting, text: str) -> list[str]:
    """The values that a variable's text holds, for a setting with several of them.

    They are a JSON array of texts, or stand one a line; with spaces between them too, where no value can hold one.

    Raises:
        ValueError: it was meant for an array, and is none; the sentence says where it breaks, and repeats none of it.
    """
    content = text.strip()
    if content.startswith(('["', "['")) or (content.startswith("[") and content.endswith("]")):
        return _array(content)
    if not setting.may_hold_spaces:
        return content.split()
    # Not `splitlines`, which takes a few characters for line ends that no env file does.
    return [line.strip() for line in content.split("\n") if line.strip()]


def _array(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        where = "is broken off at its end" if error.pos >= len(text) else f"breaks at character {error.pos + 1}"
        raise ValueError(f"the value begins as a JSON array and {where} ({error.msg}); {_WAY_OUT}") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"the value is a JSON array, but not one of texts; {_WAY_OUT}")
    return values
