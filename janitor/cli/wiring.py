"""From settings to a job: the only place that picks variants, reads the clock and reads the environment."""

import os
import shutil
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from janitor import __version__
from janitor.cli.options import flag, given_on_command_line
from janitor.cli.progress import progress_for
from janitor.config import LimitSettings, LogSettings, OutputSettings, PolicySettings, TableSettings
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.locate import Table, TableChoice, left_behind, locate
from janitor.dynamodb.owners import pages_of_owner
from janitor.dynamodb.scan import Scan, filter_for, segments_for
from janitor.errors import ConfigurationError
from janitor.logs import configure
from janitor.report.formats.csv import Csv
from janitor.report.formats.interface import Format
from janitor.report.formats.json import Json
from janitor.report.formats.markdown import Markdown
from janitor.report.formats.ndjson import Ndjson
from janitor.report.formats.table import Table as TableFormat
from janitor.report.model import Remark
from janitor.run.job import Job
from janitor.run.outlets import Outlet, Outlets
from janitor.run.stopping import Stop
from janitor.sinks.file import File
from janitor.sinks.stdout import Stdout
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy

log = structlog.get_logger("janitor.run")

# Wide enough for every column of a table that goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160
_MAX_SKEW_SECONDS = 60
_LEAST_CONNECTIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """Everything `janitor scan` was told."""

    table: TableSettings
    policy: PolicySettings
    output: OutputSettings
    limits: LimitSettings
    logs: LogSettings


def start_logging(settings: LogSettings) -> str:
    """Set the logs up and give every line of this run its id, which is returned."""
    default = "console" if sys.stderr.isatty() else "json"
    configure(level=settings.log_level, format_name=settings.log_format or default)
    run_id = uuid.uuid4().hex[:16]
    structlog.contextvars.bind_contextvars(run_id=run_id)
    return run_id


def scan_job(settings: ScanSettings, run_id: str, stop: Stop) -> Job:
    """Find the table and put a scan of it together; nothing of its rows is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    outlets = _outlets(settings.output)
    secret = _secret(settings.policy.fingerprint_key_file)
    choice = _choice(settings.table)
    aws = Aws(_connection(settings))
    dialect = Dialect(settings.policy.dialect) if settings.policy.dialect else None
    table = locate(aws, choice, dialect, time.time)
    policy = _policy(settings.policy, table.dialect)
    as_of = settings.policy.as_of
    now = int(time.time()) if as_of is None else as_of
    scan = Scan(
        client=aws.dynamodb,
        table=table.name,
        segments=settings.limits.segments or segments_for(table.size_bytes),
        filter=filter_for(now, policy),
        stop=stop,
    )
    warnings = _warnings(aws, table)
    return Job(
        command="scan",
        run_id=run_id,
        version=__version__,
        table=table,
        policy=policy,
        now=now,
        as_of=as_of,
        pages=scan.pages,
        pages_of_owner=(lambda owner: pages_of_owner(aws.dynamodb, table.name, owner))
        if table.has_owner_index
        else None,
        requests=lambda: (aws.traffic.requests, aws.traffic.throttled),
        outlets=outlets,
        max_findings=settings.output.max_findings,
        fingerprint_secret=secret,
        read_price=settings.limits.read_price,
        clock=time.time,
        progress=progress_for(table.item_count),
        stop=stop,
        warnings=warnings,
    )


def _outlets(settings: OutputSettings) -> Outlets:
    paths = [target.path.resolve() for target in settings.report]
    for position, path in enumerate(paths):
        if path in paths[:position]:
            raise ConfigurationError(f"two reports go to {path}", "give each --report a path of its own")
    stdout = settings.format or ("table" if sys.stdout.isatty() else "json")
    is_terminal = sys.stdout.isatty()
    return Outlets(
        [
            *(Outlet(_format(target.format, is_terminal=False), File(target.path)) for target in settings.report),
            Outlet(_format(stdout, is_terminal=is_terminal), Stdout(sys.stdout.buffer)),
        ]
    )


def _format(name: str, *, is_terminal: bool) -> Format:
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_A_FILE
    formats: Mapping[str, Format] = {
        "table": TableFormat(width=width, colour=is_terminal and "NO_COLOR" not in os.environ),
        "json": Json(),
        "ndjson": Ndjson(),
        "csv": Csv(),
        "markdown": Markdown(),
    }
    return formats[name]


def _secret(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(
            f"--fingerprint-key-file {path}: {error.strerror}", "give a file that can be read"
        ) from None
    if not secret:
        raise ConfigurationError(f"--fingerprint-key-file {path} is empty", "put a secret of some length in it")
    return secret


def _choice(settings: TableSettings) -> TableChoice:
    named = {name: getattr(settings, name) for name in ("table", "deployment", "ssm_parameter")}
    given = [name for name, value in named.items() if value]
    # A flag beats the environment, also when they name the table in different ways.
    chosen = given_on_command_line(given) or given
    if not chosen:
        way_out = "give --table NAME, --deployment NAME or --ssm-parameter [PATH]"
        raise ConfigurationError("no table is named", way_out, "no-table")
    if len(chosen) > 1:
        flags = " and ".join(flag(name) for name in chosen)
        raise ConfigurationError(f"{flags} both name the table", "give one of them")
    return TableChoice(**{name: named[name] for name in chosen})


def _connection(settings: ScanSettings) -> Connection:
    table = settings.table
    return Connection(
        region=table.region,
        profile=table.profile,
        role_arn=table.role_arn,
        endpoint_url=table.endpoint_url,
        environment=os.environ,
        connections=max(_LEAST_CONNECTIONS, settings.limits.segments or 0),
        version=__version__,
    )


def _policy(settings: PolicySettings, dialect: Dialect) -> Policy:
    return Policy(
        dialect=dialect,
        thresholds=tuple(sorted(set(settings.expiring_within), reverse=True)),
        grace=settings.grace,
        protect_users=settings.protect_user,
        protect_system=settings.protect_system,
    )


def _warnings(aws: Aws, table: Table) -> tuple[Remark, ...]:
    warnings = []
    for name in left_behind(aws, table):
        log.warning("table.left_behind", older_table=name, table=table.name)
        message = (
            f"the older table {name} of this deployment still holds rows, their keys in plain text; "
            f"look at it with --table {name}"
        )
        warnings.append(Remark(where="table", code="left-behind", message=message))
    skew = table.skew_seconds
    if skew is not None and abs(skew) > _MAX_SKEW_SECONDS:
        log.warning("clock.skewed", seconds=skew)
        message = f"the local clock is {skew:+,} seconds off the server's, so states may be wrong"
        warnings.append(Remark(where="clock", code="skewed", message=message))
    return tuple(warnings)
