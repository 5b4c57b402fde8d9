"""Consent, which every command takes that changes anything, so that a script can always give it."""

from dataclasses import dataclass

from janitor.settings.setting import Settings, setting

_HELP = (
    "Say yes to whatever it would ask. Without it, and without a terminal to ask on, nothing is deleted, and no token "
    "is ended."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSettings(Settings):
    """Of what runs by itself."""

    yes: bool = setting(_HELP, is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedConsentSettings(Settings):
    """Of what is done to single tokens: a variable that is set for the sweeps of a machine must not say yes to it."""

    yes: bool = setting(_HELP, is_switch=True, is_typed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateConsentSettings(Settings):
    """As `TypedConsentSettings`, where the question may be a date that is far ahead."""

    yes: bool = setting(
        "Say yes to whatever it would ask, and allow an expiry more than ten years ahead.",
        is_switch=True,
        is_typed=True,
    )
