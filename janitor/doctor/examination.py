"""The doctor's round: every check in order, whatever came of those before, and what is said of them."""

import datetime as dt
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from janitor.doctor.cluster import cluster_checks
from janitor.doctor.estimate import estimate_of
from janitor.doctor.needs import NEEDS
from janitor.doctor.permissions import permission_checks
from janitor.doctor.places import (
    archive_check,
    fingerprint_key_check,
    state_check,
    temporary_files_check,
    topic_check,
)
from janitor.doctor.schedules import schedule_checks
from janitor.doctor.table import clock_check, session_for, table_for
from janitor.doctor.upkeep import recovery_looked_at, ttl_looked_at
from janitor.errors import ConfigurationError, ExitCode
from janitor.report.checkup import Check, Checkup, Status, checkup
from janitor.report.checkup_table import checkup_table
from janitor.report.encode import json_page
from janitor.settings.doctor import DoctorCommand
from janitor.settings.store_url import DynamoDbUrl
from janitor.terminal import shows_colours
from janitor.wiring.archives import check_archive
from janitor.wiring.table import each_of, name_in_settings, names_a_table

_WIDTH_OF_A_FILE = 160


def examined(command: str, given: DoctorCommand, schedules: Sequence[Path]) -> int:
    """Check everything, and say what was found on standard output.

    Returns:
        the exit code: 1 where something is missing that the command needs.

    Raises:
        ConfigurationError: settings contradict each other.
    """
    _refuse_contradictions(given)
    found = examination(command, given, schedules)
    _say(found, given.doctor.format)
    return ExitCode.DONE if found.ok else ExitCode.FAILED


def examination(command: str, given: DoctorCommand, schedules: Sequence[Path]) -> Checkup:
    """Every check; none of them raises."""
    needs, doctor = NEEDS[command], given.doctor
    # Whoever makes a state table, or looks over schedule files, which name tables of their own, need not name one.
    is_optional = doctor.create_state or bool(schedules)
    needs_aws = names_a_table(given.table) or not schedules or doctor.create_state
    session = session_for(given.table, needed=needs_aws)
    table = table_for(given, session, is_optional=is_optional)
    ttl, recovery = ttl_looked_at(table), recovery_looked_at(table, deletes=needs.deletes)
    checks: list[Check] = [
        session.check,
        *table.checks,
        *permission_checks(needs, doctor.delete_api, table),
        ttl.permission,
        recovery.permission,
        clock_check(given, table, plans=needs.plans),
        ttl.check,
        recovery.check,
        topic_check(doctor.sns_topic_arn, session),
        state_check(given, session),
        archive_check(needs, given, session),
        fingerprint_key_check(doctor.fingerprint_key_file),
        temporary_files_check(needs, given),
        *cluster_checks(given.limits),
        *schedule_checks(schedules, dt.datetime.now(dt.UTC)),
    ]
    return checkup(command, checks, estimate_of(needs, given, table))


def _refuse_contradictions(given: DoctorCommand) -> None:
    if len(each_of(given.table)) > 1:
        sentence = f"several deployments are named, and the doctor looks at one table: {name_in_settings(given.table)}"
        raise ConfigurationError(sentence, "check each by itself", "several-tables")
    if given.doctor.create_state and not isinstance(given.state.state_url, DynamoDbUrl):
        raise ConfigurationError("--create-state makes a table", "give --state-url dynamodb://TABLE")
    check_archive(given.doctor)


def _say(found: Checkup, form: str | None) -> None:
    is_terminal = sys.stdout.isatty()
    if (form or ("table" if is_terminal else "json")) == "table":
        width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_A_FILE
        click.echo(checkup_table(found, width=width, colour=shows_colours(sys.stdout)), nl=False)
        return
    click.echo(json_page(found).decode())
    for check in found.checks:
        if check.status is Status.FAILED:
            way_out = f"; {check.way_out}" if check.way_out else ""
            click.echo(f"janitor: {check.name}: {check.found}{way_out}", err=True)
