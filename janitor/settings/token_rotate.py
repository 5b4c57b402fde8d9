"""The settings of `token rotate`."""

from dataclasses import dataclass
from typing import NamedTuple

from janitor.settings.limits import DeadlineSettings
from janitor.settings.parsers import parse_owner
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.settings.token_add import LifetimeSettings, OwnerSettings, TokenSourceSettings
from janitor.settings.token_change import SelectionSettings
from janitor.tokens.duration import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSettings(Settings):
    """Which token is rotated, and when the old one ends."""

    user: str | None = setting(
        "The one token of this owner that LISA accepts, instead of a fingerprint.",
        metavar="NAME",
        parse=parse_owner,
        is_flag_only=True,
    )
    overlap: int | None = setting(
        "How long the old token still works, at most.",
        metavar="DURATION",
        parse=parse_duration,
        default_words="it ends at once",
        is_flag_only=True,
    )
    created_by: str | None = reuse(OwnerSettings, "created_by")
    dry_run: bool = reuse(SelectionSettings, "dry_run")


class RotateCommand(NamedTuple):
    """The settings of `token rotate`."""

    rotate: RotateSettings
    life: LifetimeSettings
    token_source: TokenSourceSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    deadline: DeadlineSettings


ROTATE_GROUPS: tuple[type[Settings], ...] = tuple(RotateCommand.__annotations__.values())
