"""The settings of `token import`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import DateConsentSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.settings.parsers import parse_path
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.settings.token_add import LifetimeSettings, OwnerSettings
from janitor.settings.token_change import SelectionSettings
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings(Settings):
    """Which tokens are imported, whose they are, and whether anything is written."""

    from_table: str | None = setting(
        "The table with the classic rows. It may be the one that they are imported into.",
        metavar="NAME",
        is_flag_only=True,
    )
    owners: Path | None = setting(
        "A CSV file with the columns fingerprint, username and name, and if wanted groups (with ; between them) and "
        "system (yes or no). Others are ignored, so that `janitor token list --format csv` can be filled in.",
        metavar="PATH",
        parse=parse_path,
        is_flag_only=True,
    )
    write: bool = setting(
        "Write the rows. Without it, a dry run reports what would be written.", is_switch=True, is_flag_only=True
    )
    dry_run: bool = setting("Write nothing, even with --write: report what would be written.", is_switch=True)
    yes: bool = reuse(DateConsentSettings, "yes")
    expires_in: int | None = setting(
        "How long a token that never ends is accepted, from now on. Without this and --expires-at it is left out.",
        metavar="DURATION",
        parse=parse_duration,
        is_flag_only=True,
    )
    expires_at: int | None = setting(
        "Until when such a token is accepted: ISO 8601 or UNIX seconds, in UTC.",
        metavar="TIME",
        parse=parse_time,
        is_flag_only=True,
    )
    created_by: str | None = reuse(OwnerSettings, "created_by")
    format: str | None = reuse(SelectionSettings, "format")
    max_rcu: float | None = reuse(LimitSettings, "max_rcu")
    max_wcu: float | None = reuse(WriteLimitSettings, "max_wcu")

    @property
    def writes(self) -> bool:
        """Whether rows are written. A dry run wins, whether a flag or a variable asks for it."""
        return self.write and not self.dry_run

    @property
    def life(self) -> LifetimeSettings | None:
        """How long a token that never ends lives; None to leave such tokens out."""
        if self.expires_in is None and self.expires_at is None:
            return None
        origins = self.origins
        return LifetimeSettings(expires_in=self.expires_in, expires_at=self.expires_at, yes=self.yes, origins=origins)


class ImportCommand(NamedTuple):
    """The settings of `token import`."""

    imported: ImportSettings
    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    deadline: DeadlineSettings


IMPORT_GROUPS: tuple[type[Settings], ...] = tuple(ImportCommand.__annotations__.values())
