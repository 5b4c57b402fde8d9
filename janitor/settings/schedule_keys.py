"""Which keys a schedule file has: each a setting of the command line, in a section of its own kind."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from janitor.settings.cron import parse_cron, parse_timezone
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import parse_count, parse_percent, parse_price, parse_segments, parse_units, parse_workers
from janitor.settings.setting import Setting, Settings, settings_of
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.duration import parse_duration

TABLE, WHEN = "table", "when"
DESCRIPTION = "description"
THRESHOLDS = "thresholds"

_GROUPS: dict[str, tuple[type[Settings], ...]] = {
    TABLE: (TableSettings,),
    "policy": (PolicySettings, ProtectionSettings),
    "delete": (PlanSettings, DeletionSettings),
    "notify": (NoticeSettings,),
    "report": (OutputSettings,),
    "limits": (LimitSettings, WriteLimitSettings, DeadlineSettings),
    "state": (StateSettings,),
}
# Where a file says it in another word than the flag: several patterns, or a word that its section says already.
_OTHER_WORDS = {"protect_user": "protect_users", "state_url": "url"}
# Nobody is asked who runs by a file; and a time that the rows are judged by, or the name of what is tried again, would
# be the same every night. A job has its file's name.
_LEFT_OUT = ("yes", "as_of", "lease_holder", "job")
_NUMBERS = (parse_count, parse_percent, parse_price, parse_segments, parse_units, parse_workers)

_WHEN = {
    "cron": Setting(
        help="When it runs by itself: five fields as in crontab(5), or @daily and its like.",
        metavar="LINE",
        parse=parse_cron,
    ),
    "timezone": Setting(help="Whose clock the line is read by.", metavar="NAME", parse=parse_timezone, default="UTC"),
    "jitter": Setting(
        help="Up to so much later, so that many jobs do not start at once.",
        metavar="DURATION",
        parse=parse_duration,
        default="0",
    ),
    "catch_up": Setting(help="After the daemon was down at its time, run once when it is up again.", is_switch=True),
}
_ENABLED = Setting(help="Delete what is stale; a dry run says what would be.", is_switch=True)
_THRESHOLDS = Setting(
    help="How long before its expiry a token is announced, besides at [policy] expiring_within.",
    metavar="DURATION",
    parse=parse_duration,
    many=True,
)
# A job must not keep others from their turn for ever.
_DEADLINE = structs.replace(settings_of(DeadlineSettings)["deadline"], default="1h")


class Key(NamedTuple):
    """One key: the field of the settings that it fills, and how its value is read."""

    field: str
    setting: Setting

    @property
    def takes_numbers(self) -> bool:
        """Whether a number without quotes will do."""
        return self.setting.parse in _NUMBERS


DEFAULT_DEADLINE = parse_duration(_DEADLINE.default or "0")


def _keys(groups: tuple[type[Settings], ...]) -> dict[str, Key]:
    return {
        _OTHER_WORDS.get(name, name): Key(name, setting)
        for group in groups
        for name, setting in settings_of(group).items()
        if name not in _LEFT_OUT
    }


SECTIONS: Mapping[str, Mapping[str, Key]] = {
    WHEN: {name: Key(name, setting) for name, setting in _WHEN.items()},
    **{section: _keys(groups) for section, groups in _GROUPS.items()},
    "delete": {"enabled": Key("enabled", _ENABLED), **_keys(_GROUPS["delete"])},
    "notify": {**_keys(_GROUPS["notify"]), THRESHOLDS: Key(THRESHOLDS, _THRESHOLDS)},
    "limits": {**_keys(_GROUPS["limits"]), "deadline": Key("deadline", _DEADLINE)},
}
