"""The settings of `janitor doctor`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import UnaskedConsentSettings
from janitor.settings.deletion import DeletionSettings
from janitor.settings.limits import LimitSettings
from janitor.settings.output import LogSettings, NoticeSettings, StateSettings
from janitor.settings.parsers import Folder, NotifyFile, NotifyUrl, S3Prefix
from janitor.settings.setting import Setting, Settings, reuse, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings
from janitor.tokens.dialect import Gate

# Not a field of a group, because `for` cannot be a name in Python.
FOR_OPTION = Setting(
    help="The command to check everything for.",
    choices=("scan", "sweep", "apply", "restore", "token"),
    default="scan",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorSettings(Settings):
    """What it may create, how it prints, and which settings of a run it checks."""

    create_state: bool = setting(
        "Create the table of dynamodb://TABLE, on demand and with TTL for its own rows, if it does not exist.",
        is_switch=True,
    )
    dry_run: bool = setting("Create nothing, even with --create-state: check what is there.", is_switch=True)
    yes: bool = reuse(UnaskedConsentSettings, "yes")
    format: str | None = setting(
        "Format of standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )
    dialect: str | None = reuse(PolicySettings, "dialect")
    archive: Path | Folder | S3Prefix | None = reuse(DeletionSettings, "archive")
    no_archive: bool = reuse(DeletionSettings, "no_archive")
    max_clock_skew: int = reuse(DeletionSettings, "max_clock_skew")
    delete_api: str = reuse(DeletionSettings, "delete_api")
    write_price: float = reuse(DeletionSettings, "write_price")
    sns_topic_arn: str | None = reuse(NoticeSettings, "sns_topic_arn")
    notify: tuple[NotifyUrl | NotifyFile, ...] = reuse(NoticeSettings, "notify")
    owner_address: str | None = reuse(NoticeSettings, "owner_address")
    gates: tuple[Gate, ...] = reuse(PolicySettings, "gates")
    protect_user: tuple[str, ...] = reuse(ProtectionSettings, "protect_user")
    protect_system: bool = reuse(ProtectionSettings, "protect_system")
    fingerprint_key_file: Path | None = reuse(ProtectionSettings, "fingerprint_key_file")


class DoctorCommand(NamedTuple):
    """The settings of `janitor doctor`, in the order of its help."""

    doctor: DoctorSettings
    table: TableSettings
    state: StateSettings
    limits: LimitSettings
    logs: LogSettings


DOCTOR_GROUPS: tuple[type[Settings], ...] = tuple(DoctorCommand.__annotations__.values())
