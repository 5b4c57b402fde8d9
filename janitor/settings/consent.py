"""--yes and --dry-run. Every command that changes anything has the first, and every command has the second."""

from dataclasses import dataclass

from janitor.settings.setting import Settings, setting

_HELP = (
    "Answer yes to every question. Without it, and without a terminal to ask on, nothing is deleted and no token is "
    "ended."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSettings(Settings):
    """The consent of commands that may run unattended; a variable may give it."""

    yes: bool = setting(_HELP, is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaskedConsentSettings(Settings):
    """The --yes of commands that ask nothing, so that a script may give it to every command."""

    yes: bool = setting("Accepted as everywhere; this command asks nothing anyway.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnlySettings(Settings):
    """The --dry-run of commands that change nothing, so that a script may give it to every command."""

    dry_run: bool = setting("Accepted as everywhere; this command changes nothing anyway.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagConsentSettings(Settings):
    """The consent of commands that change single tokens; a variable that is set for sweeps must not give it."""

    yes: bool = setting(_HELP, is_switch=True, is_flag_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateConsentSettings(Settings):
    """The same for commands that set an expiry, where the question may also be about a date that is far ahead."""

    yes: bool = setting(
        "Answer yes to every question, and allow an expiry more than ten years ahead.",
        is_switch=True,
        is_flag_only=True,
    )
