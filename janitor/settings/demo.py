"""How `janitor demo` goes."""

from dataclasses import dataclass

from janitor.settings.setting import Settings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings(Settings):
    """How `janitor demo` goes."""

    keep: bool = setting("Leave the embedded DynamoDB running, and print how to use it and end it.", is_switch=True)
    classic: bool = setting("Make the table of a LISA before 6.1: plain-text keys, few attributes.", is_switch=True)
