"""What `janitor doctor` looks at."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import ConsentSettings
from janitor.settings.deletion import DeletionSettings
from janitor.settings.limits import LimitSettings
from janitor.settings.output import LogSettings, NoticeSettings, StateSettings
from janitor.settings.parsers import Folder, S3Prefix
from janitor.settings.setting import Setting, Settings, as_in, setting
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings

# No field of a group, for it is no name in Python.
FOR = Setting(
    help="The command that everything has to be there for.",
    choices=("scan", "sweep", "apply", "restore", "token"),
    default="scan",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorSettings(Settings):
    """What it may make, what it says, and what of a run's settings it looks at."""

    create_state: bool = setting(
        "Make the table of dynamodb://TABLE, on demand and with TTL for its own rows, if it is not there.",
        is_switch=True,
    )
    yes: bool = as_in(ConsentSettings, "yes")
    format: str | None = setting(
        "What is said on standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )
    dialect: str | None = as_in(PolicySettings, "dialect")
    archive: Path | Folder | S3Prefix | None = as_in(DeletionSettings, "archive")
    no_archive: bool = as_in(DeletionSettings, "no_archive")
    max_clock_skew: int = as_in(DeletionSettings, "max_clock_skew")
    delete_api: str = as_in(DeletionSettings, "delete_api")
    write_price: float = as_in(DeletionSettings, "write_price")
    sns_topic_arn: str | None = as_in(NoticeSettings, "sns_topic_arn")
    fingerprint_key_file: Path | None = as_in(ProtectionSettings, "fingerprint_key_file")


class DoctorCommand(NamedTuple):
    """Everything that the doctor is told."""

    doctor: DoctorSettings
    table: TableSettings
    state: StateSettings
    limits: LimitSettings
    logs: LogSettings


DOCTOR_GROUPS: tuple[type[Settings], ...] = tuple(DoctorCommand.__annotations__.values())
