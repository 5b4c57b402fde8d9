"""What `janitor doctor` does."""

from dataclasses import dataclass

from janitor.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorSettings:
    """What it may make."""

    create_state: bool = setting(
        "Make the table of dynamodb://TABLE, on demand and with TTL for its own rows, if it is not there.",
        is_switch=True,
    )
