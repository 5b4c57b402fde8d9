"""`janitor doctor`: run every check in order, whatever the earlier ones found, and print the results."""

import datetime as dt
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from janitor.doctor.cluster import examine_cluster
from janitor.doctor.estimate import make_estimate
from janitor.doctor.needs import NEEDS
from janitor.doctor.owners import examine_owners
from janitor.doctor.permissions import examine_permissions
from janitor.doctor.places import (
    examine_archive,
    examine_fingerprint_key,
    examine_services,
    examine_state,
    examine_temporary_files,
    examine_topic,
)
from janitor.doctor.schedules import CheckFile, examine_schedules
from janitor.doctor.table import examine_clock, examine_table, identify_session
from janitor.doctor.table_features import examine_recovery, examine_ttl
from janitor.errors import ConfigurationError, ExitCode
from janitor.report.checkup import Check, Checkup, Status, build_checkup
from janitor.report.checkup_table import render_checkup
from janitor.report.encode import encode_json_page
from janitor.settings.doctor import DoctorCommand
from janitor.settings.store_url import DynamoDbUrl
from janitor.terminal import shows_colours
from janitor.wiring.archives import check_archive
from janitor.wiring.open_table import expand_deployments, name_in_settings, names_a_table

# Used for a file or a pipe.
_FILE_WIDTH = 160


def run_doctor(command: str, settings: DoctorCommand, schedules: Sequence[Path], check_file: CheckFile) -> int:
    """Check everything, and print what was found on standard output.

    Args:
        command: the command whose needs are checked.
        settings: the settings.
        schedules: schedule files, and folders of them.
        check_file: says why a run would refuse a schedule file.

    Returns:
        the exit code: 1 if something is missing that the command needs.

    Raises:
        ConfigurationError: settings contradict each other.
    """
    _refuse_contradictions(settings)
    result = examine(command, settings, schedules, check_file)
    _print_checkup(result, settings.doctor.format)
    return ExitCode.DONE if result.ok else ExitCode.FAILED


def examine(command: str, settings: DoctorCommand, schedules: Sequence[Path], check_file: CheckFile) -> Checkup:
    """Run every check; none of them raises."""
    needs, doctor = NEEDS[command], settings.doctor
    # To create a state table, or to check schedule files, which name their own tables, no table need be named.
    is_optional = doctor.create_state or bool(schedules)
    needs_aws = names_a_table(settings.table) or not schedules or doctor.create_state
    session = identify_session(settings.table, needed=needs_aws)
    table = examine_table(settings, session, is_optional=is_optional)
    ttl, recovery = examine_ttl(table), examine_recovery(table, deletes=needs.deletes)
    checks: list[Check] = [
        session.check,
        *table.checks,
        *examine_permissions(needs, doctor.delete_api, table),
        ttl.permission,
        recovery.permission,
        examine_clock(settings, table, plans=needs.plans),
        ttl.check,
        recovery.check,
        examine_owners(needs, settings, table),
        examine_topic(doctor.sns_topic_arn, session),
        *examine_services(doctor),
        examine_state(settings, session),
        examine_archive(needs, settings, session),
        examine_fingerprint_key(doctor.fingerprint_key_file),
        examine_temporary_files(needs, settings),
        *examine_cluster(settings.limits),
        *examine_schedules(schedules, dt.datetime.now(dt.UTC), check_file),
    ]
    return build_checkup(command, checks, make_estimate(needs, settings, table))


def _refuse_contradictions(settings: DoctorCommand) -> None:
    if len(expand_deployments(settings.table)) > 1:
        sentence = f"several deployments are named, and the doctor checks one table: {name_in_settings(settings.table)}"
        raise ConfigurationError(sentence, "check each by itself", "several-tables")
    if settings.doctor.create_state and not isinstance(settings.state.state_url, DynamoDbUrl):
        raise ConfigurationError("--create-state creates a DynamoDB table", "give --state-url dynamodb://TABLE")
    check_archive(settings.doctor)


def _print_checkup(result: Checkup, form: str | None) -> None:
    is_terminal = sys.stdout.isatty()
    if (form or ("table" if is_terminal else "json")) == "table":
        width = shutil.get_terminal_size().columns if is_terminal else _FILE_WIDTH
        click.echo(render_checkup(result, width=width, colour=shows_colours(sys.stdout)), nl=False)
        return
    click.echo(encode_json_page(result).decode())
    for check in result.checks:
        if check.status is Status.FAILED:
            way_out = f"; {check.way_out}" if check.way_out else ""
            click.echo(f"janitor: {check.name}: {check.found}{way_out}", err=True)
