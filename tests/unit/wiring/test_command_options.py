"""The next commands repeat the options of the run: all that decide what is deleted, and no secret."""

import shlex
from pathlib import Path

import pytest

from janitor.cli.sweep import command as sweep_command
from janitor.settings.commands import ApplyCommand, SweepCommand
from janitor.settings.deletion import ApplySettings, DeletionSettings, PlanSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import Folder, NotifyUrl
from janitor.settings.scan import ScanCommand
from janitor.settings.setting import settings_of
from janitor.settings.store_url import SqliteUrl
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings, UnlockSettings
from janitor.wiring.command_options import (
    DELETION_OPTIONS,
    describe_apply_options,
    describe_scan_options,
    describe_sweep_options,
)

SECRET = "hunter2"
ARN = "arn:aws:sns:us-east-1:123456789012:tokens"
TABLE = TableSettings(
    profile="prod", role_arn="arn:aws:iam::123456789012:role/janitor", endpoint_url=f"http://u:{SECRET}@localhost"
)
PROTECTION = ProtectionSettings(protect_user=("bot *", "it's"), protect_system=True, fingerprint_key_file=Path("key"))
DELETION = DeletionSettings(
    yes=True,
    archive=Folder(Path("/var/lib/my archive")),
    max_deletes=5,
    max_delete_percent=12.5,
    max_clock_skew=90,
    delete_api="item",
    require_notice=True,
    notice_age=14 * 86_400,
    lease_holder="job",
)
NOTICES = NoticeSettings(
    sns_topic_arn=ARN,
    notify=(NotifyUrl(f"slack://{SECRET}"),),
    per_token=True,
    owner_address="{username}@example.com",
    digest="always",
    heartbeat_url=f"https://hc.example/{SECRET}",
)
STATE = StateSettings(state_url=SqliteUrl(Path("/var/lib/state.sqlite")))
WRITES = WriteLimitSettings(max_wcu=float("inf"))


def scan_settings(**groups: object) -> ScanCommand:
    parts: dict[str, object] = {
        "table": TableSettings(), "policy": PolicySettings(), "unlock": UnlockSettings(),
        "protection": ProtectionSettings(), "output": OutputSettings(), "notices": NoticeSettings(),
        "state": StateSettings(), "limits": LimitSettings(), "deadline": DeadlineSettings(),
    }  # fmt: skip
    return ScanCommand(**(parts | groups))  # type: ignore[arg-type]


def test_the_words_of_a_sweep_are_read_as_its_own_settings() -> None:
    scan = scan_settings(
        table=TABLE, protection=PROTECTION, notices=NOTICES, state=STATE, limits=LimitSettings(max_rcu=25.0)
    )
    options = describe_sweep_options(scan, SweepCommand(PlanSettings(), DELETION, WRITES, deletes=True))
    words = shlex.split(f"{options.connection}{options.protection}{options.deletion}")
    read = sweep_command.make_context("sweep", words).params
    for group in (PROTECTION, DELETION, NOTICES, STATE, WRITES, LimitSettings(max_rcu=25.0)):
        for name in settings_of(type(group)):
            if name not in ("yes", "lease_holder", "notify", "heartbeat_url"):
                assert read[name] == getattr(group, name), name
    assert (read["profile"], read["role_arn"]) == (TABLE.profile, TABLE.role_arn)
    # A consent is of one run; a secret is of none.
    assert not read["yes"]
    assert options.left_out == ("--notify", "--heartbeat-url")
    assert SECRET not in repr(options)
    plain = describe_sweep_options(
        scan_settings(), SweepCommand(PlanSettings(), DeletionSettings(), WriteLimitSettings(), deletes=False)
    )
    assert (plain.connection, plain.protection, plain.deletion, plain.left_out) == ("", "", "", ())


@pytest.mark.parametrize("owner", ["a" * 64, "invisible\u202e"])
def test_a_pattern_that_cannot_be_shown_is_left_out_whole_and_the_next_command_says_so(owner: str) -> None:
    protection = ProtectionSettings(protect_user=("ana", owner), protect_system=True)
    options = describe_scan_options(TableSettings(), protection)
    assert (options.protection, options.left_out) == (" --protect-system", ("--protect-user",))


def test_a_plan_is_applied_again_with_the_same_limits_and_without_secrets() -> None:
    settings = ApplyCommand(
        ApplySettings(), DELETION, WRITES, TABLE, PROTECTION, OutputSettings(), NOTICES, STATE, DeadlineSettings()
    )
    options = describe_apply_options(settings)
    assert "--max-deletes 5 --max-delete-percent 12.5 --max-clock-skew 90s" in options.deletion
    assert SECRET not in repr(options)


def test_no_option_of_deletion_is_forgotten() -> None:
    of_one_run, prices = {"yes", "lease_holder"}, {"write_price"}
    assert set(settings_of(DeletionSettings)) == {*DELETION_OPTIONS, *of_one_run, *prices}
