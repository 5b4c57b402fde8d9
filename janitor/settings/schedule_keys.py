"""The keys of a schedule file: each a setting of the command line, in the section that it belongs to."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from janitor.settings.cron import parse_cron, parse_timezone
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.settings.output import LastSeenSettings, NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import parse_count, parse_percent, parse_price, parse_segments, parse_units, parse_workers
from janitor.settings.setting import Setting, Settings, settings_of
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings, UnlockSettings
from janitor.tokens.duration import parse_duration

TABLE, WHEN = "table", "when"
DESCRIPTION = "description"
THRESHOLDS = "thresholds"

_GROUPS: dict[str, tuple[type[Settings], ...]] = {
    TABLE: (TableSettings,),
    "policy": (PolicySettings, UnlockSettings, ProtectionSettings),
    "delete": (PlanSettings, DeletionSettings),
    "notify": (NoticeSettings,),
    "report": (OutputSettings, LastSeenSettings),
    "limits": (LimitSettings, WriteLimitSettings, DeadlineSettings),
    "state": (StateSettings,),
}
# Keys that differ from the flag: a plural for several patterns, or without the name of its section.
_KEY_NAMES = {
    "protect_user": "protect_users",
    "user": "users",
    "fingerprint": "fingerprints",
    "state_url": "url",
    "notify": "urls",
    "notice_text": "text",
}
# Not in a file: `enabled = true` is its consent, its name is the job's, and --as-of and --lease-holder would not change
# from run to run.
_LEFT_OUT = ("yes", "as_of", "lease_holder", "job")
_NUMBERS = (parse_count, parse_percent, parse_price, parse_segments, parse_units, parse_workers)

_WHEN = {
    "cron": Setting(
        help="When it runs by itself: five fields as in crontab(5), or @daily and its like.",
        metavar="LINE",
        parse=parse_cron,
    ),
    "timezone": Setting(
        help="The time zone whose clock the line is read by.", metavar="NAME", parse=parse_timezone, default="UTC"
    ),
    "jitter": Setting(
        help="Start up to this much later, so that many jobs do not start at once.",
        metavar="DURATION",
        parse=parse_duration,
        default="0",
    ),
    "catch_up": Setting(help="If the daemon was down at its time, run once when it is up again.", is_switch=True),
}
_ENABLED = Setting(help="Delete what is stale; otherwise a dry run reports what would be deleted.", is_switch=True)
_THRESHOLDS = Setting(
    help="How long before its expiry a token is announced, in addition to [policy] expiring_within.",
    metavar="DURATION",
    parse=parse_duration,
    is_repeatable=True,
)
# So that no job keeps others waiting for ever.
_DEADLINE = structs.replace(settings_of(DeadlineSettings)["deadline"], default="1h")


class Key(NamedTuple):
    """A key: the field of the settings that it fills, and how its value is parsed."""

    field: str
    setting: Setting

    @property
    def takes_numbers(self) -> bool:
        """Whether the value may be a number without quotes."""
        return self.setting.parse in _NUMBERS


DEFAULT_DEADLINE = parse_duration(_DEADLINE.default or "0")


def _collect_keys(groups: tuple[type[Settings], ...]) -> dict[str, Key]:
    return {
        _KEY_NAMES.get(name, name): Key(name, setting)
        for group in groups
        for name, setting in settings_of(group).items()
        if name not in _LEFT_OUT
    }


SECTIONS: Mapping[str, Mapping[str, Key]] = {
    WHEN: {name: Key(name, setting) for name, setting in _WHEN.items()},
    **{section: _collect_keys(groups) for section, groups in _GROUPS.items()},
    "delete": {"enabled": Key("enabled", _ENABLED), **_collect_keys(_GROUPS["delete"])},
    "notify": {**_collect_keys(_GROUPS["notify"]), THRESHOLDS: Key(THRESHOLDS, _THRESHOLDS)},
    "limits": {**_collect_keys(_GROUPS["limits"]), "deadline": Key("deadline", _DEADLINE)},
}
