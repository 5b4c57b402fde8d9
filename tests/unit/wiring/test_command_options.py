"""The next commands repeat the options of the run: all that decide what is deleted, and no secret."""

import shlex
from pathlib import Path

import pytest
from msgspec import structs

from janitor.cli.sweep import command as sweep_command
from janitor.report.model import CommandOptions
from janitor.settings.commands import ApplyCommand, SweepCommand
from janitor.settings.deletion import ApplySettings, DeletionSettings, PlanSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings, WriteLimitSettings
from janitor.settings.notice_text import parse_notice_text
from janitor.settings.output import NoticeSettings, OutputSettings, StateSettings
from janitor.settings.parsers import Folder, NotifyUrl
from janitor.settings.scan import FilterSettings, ScanCommand
from janitor.settings.setting import flag, settings_of
from janitor.settings.store_url import SqliteUrl
from janitor.settings.table import CONNECTION_OPTIONS, PolicySettings, ProtectionSettings, TableSettings, UnlockSettings
from janitor.wiring.command_options import (
    add_filters,
    describe_apply_options,
    describe_scan_options,
    describe_sweep_options,
    format_options,
)

SECRET = "hunter2"
PARTS = ("connection", "naming", "protection", "reading", "narrowing", "deletion")
ARN = "arn:aws:sns:us-east-1:123456789012:tokens"
TABLE = TableSettings(
    profile="prod", role_arn="arn:aws:iam::123456789012:role/janitor", endpoint_url=f"http://u:{SECRET}@localhost"
)
PROTECTION = ProtectionSettings(protect_user=("bot *", "it's"), protect_system=True, fingerprint_key_file=Path("key"))
DELETION = DeletionSettings(
    yes=True,
    archive=Folder(Path("/var/lib/my archive")),
    no_archive=True,
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
    contact="the people of LISA's desk",
    notice_text=parse_notice_text("{name} expires.\nAsk the desk."),
    sns_format="mail",
    digest="always",
    digest_format="chatbot",
    heartbeat_url=f"https://hc.example/{SECRET}",
)
PLAN = PlanSettings(user=("an*", "bob smith"), fingerprint=("0*",))
# A consent, a lease and where metrics go are of one run; a price decides nothing.
OF_THE_RUN = {"yes", "lease_holder", "write_price", "metrics", "job"}
NOT_SHOWN = {"notify", "heartbeat_url", "notice_text"}
IN_THE_REPORT = {"include", "plan"}
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
    options = describe_sweep_options(scan, SweepCommand(PLAN, DELETION, WRITES, deletes=True))
    words = shlex.split("".join(getattr(options, part) for part in PARTS))
    read = sweep_command.make_context("sweep", words).params
    # No option that decides what is deleted, or who is told what, is forgotten: each has another value here.
    for group in (PROTECTION, PLAN, DELETION, NOTICES, STATE, WRITES, LimitSettings(max_rcu=25.0)):
        for name in settings_of(type(group)):
            if name not in OF_THE_RUN | NOT_SHOWN | IN_THE_REPORT:
                assert read[name] == getattr(group, name), name
                assert isinstance(group, LimitSettings) or getattr(group, name) != getattr(type(group)(), name), name
    assert (read["profile"], read["role_arn"]) == (TABLE.profile, TABLE.role_arn)
    # A consent is of one run; a secret is of none.
    assert not read["yes"]
    assert (options.left_out, options.withheld) == (("--notice-text", "--notify", "--heartbeat-url"), ())
    assert set(options.left_out) == {flag(name) for name in NOT_SHOWN}
    assert SECRET not in repr(options)
    plain = describe_sweep_options(
        scan_settings(), SweepCommand(PlanSettings(), DeletionSettings(), WriteLimitSettings(), deletes=False)
    )
    assert plain == CommandOptions()


@pytest.mark.parametrize("owner", ["a" * 64, "invisible\u202e"])
def test_a_value_that_cannot_be_shown_is_withheld_whole(owner: str) -> None:
    protection = ProtectionSettings(protect_user=("ana", owner), protect_system=True)
    options = describe_scan_options(TableSettings(), protection)
    assert (options.protection, options.withheld) == (" --protect-system", ("--protect-user",))
    assert add_filters(options, FilterSettings(user=(owner,), name=("ci*",))) == structs.replace(
        options, narrowing=" --name 'ci*'", withheld=("--protect-user", "--user")
    )
    narrowed = SweepCommand(PlanSettings(user=(f"*-{owner}",)), DeletionSettings(), WriteLimitSettings(), deletes=False)
    assert describe_sweep_options(scan_settings(), narrowed).withheld == ("--user",)
    # Who is told decides nothing about rows.
    told = scan_settings(notices=NoticeSettings(sns_topic_arn=ARN, contact=owner))
    options = describe_sweep_options(told, SweepCommand(PlanSettings(), DELETION, WRITES, deletes=False))
    assert (options.left_out, options.withheld) == (("--contact",), ())


def test_a_limit_is_not_rounded() -> None:
    percent = 12.345678901
    limited = SweepCommand(
        PlanSettings(), DeletionSettings(max_delete_percent=percent), WriteLimitSettings(), deletes=False
    )
    assert describe_sweep_options(scan_settings(), limited).deletion == f" --max-delete-percent {percent}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:hunter2@localhost:8000/?key=hunter2", "http://localhost:8000/"),
        ("http://[hunter2", "'[removed]'"),
        ("https://dynamodb.example", "https://dynamodb.example"),
    ],
)
def test_an_endpoint_is_repeated_without_its_login(url: str, shown: str) -> None:
    options = format_options(TableSettings(endpoint_url=url, region="us-east-1"), CONNECTION_OPTIONS)
    assert options.text == f" --region us-east-1 --endpoint-url {shown}"


def test_a_plan_is_applied_again_with_the_same_limits_and_without_secrets() -> None:
    apply = ApplySettings(user=("an*",), fingerprint=("0*",), partial=True)
    settings = ApplyCommand(
        apply, DELETION, WRITES, TABLE, PROTECTION, OutputSettings(), NOTICES, STATE, DeadlineSettings()
    )
    options = describe_apply_options(Path("a plan"), settings)
    assert (options.plan, options.narrowing) == ("a plan", " --user 'an*' --fingerprint '0*' --partial")
    assert "--max-deletes 5 --max-delete-percent 12.5 --max-clock-skew 90s" in options.deletion
    assert SECRET not in repr(options)
    hidden = describe_apply_options(Path("a" * 64), settings)
    assert (hidden.plan, hidden.withheld) == (None, ("PLAN",))
