"""Find the token table that --table, --deployment or --ssm-parameter names, and detect its dialect."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from janitor.aws.errors import DENIALS, NOT_FOUND, aws_errors
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.clock import parse_date_header
from janitor.dynamodb.decode import page_of
from janitor.dynamodb.table_features import UNKNOWN_THROUGHPUT, Throughput, throughput_of
from janitor.errors import AwsError, ConfigurationError, JanitorError
from janitor.logs import get_logger
from janitor.tokens.attribute_names import KEY
from janitor.tokens.dialect import Dialect

log = get_logger("janitor.locate")

# LISA's table names, newest first (lib/core/apiBaseConstruct.ts, lib/serve/serveApplicationConstruct.ts).
NAME_PATTERNS = ("{deployment}-LISAApiBaseTokenTable", "{deployment}-LISAApiTokenTable", "LISAApiTokenTable")
# A name without a deployment is from before LISA named its deployments; this is LISA's own default (lib/schema).
_DEFAULT_DEPLOYMENT = "prod"
OWNER_INDEX = "username-index"

_MAX_PAGES = 10


class TableChoice(msgspec.Struct, frozen=True, kw_only=True):
    """How the user names the table: exactly one of the three is set."""

    table: str | None = None
    deployment: str | None = None
    ssm_parameter: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An existing token table.

    Attributes:
        name, region, account_id: where it is; the account is read from the table's ARN.
        endpoint: the endpoint that was set; None for AWS's own.
        dialect: which LISA reads it.
        has_owner_index: whether rows can be looked up by username.
        item_count, size_bytes: from DescribeTable, up to about six hours old.
        skew_seconds: the local clock minus the server's; None when the answer had no date.
        source: what its rows are read from instead; None for the table itself. With a source DynamoDB is not asked,
            and a region that nobody knows is empty.
        throughput: how much it can take.
        table_id: identifies the table, even among tables of the same name; None if the server does not say.
    """

    name: str
    region: str
    account_id: str | None
    endpoint: str | None
    dialect: Dialect
    has_owner_index: bool
    item_count: int
    size_bytes: int
    skew_seconds: int | None
    source: str | None = None
    throughput: Throughput = UNKNOWN_THROUGHPUT
    table_id: str | None = None


def locate_table(aws: AwsSession, choice: TableChoice, dialect: Dialect | None, clock: Callable[[], float]) -> Table:
    """Find the table, and check that it is a token table.

    Args:
        aws: the session to use.
        choice: how the user names the table.
        dialect: None to detect it: `hashed` when the table has the index `username-index`.
        clock: returns the current time in UNIX seconds.

    Raises:
        ConfigurationError: there is no such table, or it is not a token table.
        AwsError: AWS refused or could not be reached.
    """
    names = _candidate_names(aws, choice)
    description, response = _describe_first_existing(aws, names, choice)
    _check_key(description)
    indexes = {index["IndexName"] for index in description.get("GlobalSecondaryIndexes", ())}
    detected = Dialect.HASHED if OWNER_INDEX in indexes else Dialect.CLASSIC
    return Table(
        name=description["TableName"],
        region=aws.region,
        account_id=_account_in(description.get("TableArn", "")),
        endpoint=aws.endpoint("dynamodb"),
        dialect=dialect or detected,
        has_owner_index=OWNER_INDEX in indexes,
        item_count=description.get("ItemCount", 0),
        size_bytes=description.get("TableSizeBytes", 0),
        skew_seconds=_measure_skew(response, clock()),
        throughput=throughput_of(description),
        table_id=description.get("TableId"),
    )


def find_older_tables(aws: AwsSession, table: Table) -> list[str]:
    """List older tables of the same deployment that still hold rows.

    LISA's renames (v3, v6) left them behind, with keys in plain text. A table that cannot be read is skipped: an IAM
    policy for one table only forbids it.
    """
    return [name for name in _older_names(table.name) if _holds_rows(aws, name)]


def find_newer_table(aws: AwsSession, table: Table) -> str | None:
    """Return the newer table of the same deployment, which LISA reads in place of this one; None if none is seen.

    A table that may not be described counts as none: an IAM policy for one table only forbids it.
    """
    for name in _newer_names(table.name):
        try:
            _describe(aws, name)
        except JanitorError as error:
            log.debug("table.not_looked_at", table=name, code=error.code)
        else:
            return name
    return None


def _candidate_names(aws: AwsSession, choice: TableChoice) -> list[str]:
    if choice.deployment:
        return [pattern.format(deployment=choice.deployment) for pattern in NAME_PATTERNS]
    name = choice.table or read_parameter(aws, choice.ssm_parameter or "")
    if name.startswith("arn:"):
        # Its account would be ignored: a table's name is looked up in the caller's own account.
        raise ConfigurationError(
            f"{name} is an ARN", "give the table's name, and --role-arn for a table of another account", "table-arn"
        )
    return [name]


def read_parameter(aws: AwsSession, path: str) -> str:
    """Read a parameter of SSM. Needs `ssm:GetParameter`.

    Raises:
        AwsError: there is no such parameter, or AWS refused or could not be reached.
    """
    with aws_errors("ssm:GetParameter", f"the parameter {path}"):
        return aws.ssm.get_parameter(Name=path)["Parameter"]["Value"]


def _describe_first_existing(
    aws: AwsSession, names: Iterable[str], choice: TableChoice
) -> tuple[Mapping[str, Any], Any]:
    for name in names:
        try:
            response = _describe(aws, name)
        except JanitorError as error:
            if error.code in NOT_FOUND:
                continue
            if error.code in DENIALS and choice.deployment:
                # It may be the one that LISA reads, so no older table may be used in its place.
                raise AwsError(error.sentence, f"{error.way_out}, or name the table with --table", error.code) from None
            raise
        return response["Table"], response
    raise _make_no_table_error(list(names), choice, aws.region)


def _make_no_table_error(names: Sequence[str], choice: TableChoice, region: str) -> ConfigurationError:
    if choice.deployment:
        sentence = f"no token table in {region}: there is no {', no '.join(names)}"
        return ConfigurationError(sentence, "check the deployment's name, --region and the account", "no-table")
    source = "" if choice.table else f", which the parameter {choice.ssm_parameter} names"
    sentence = f"there is no table {names[0]} in {region}{source}"
    return ConfigurationError(sentence, "check the name, --region and the account", "no-table")


def _describe(aws: AwsSession, name: str) -> Mapping[str, Any]:
    with aws_errors("dynamodb:DescribeTable", f"the table {name}"):
        response = aws.dynamodb.describe_table(TableName=name)
        return {"Table": response["Table"], "ResponseMetadata": response["ResponseMetadata"]}


def _check_key(description: Mapping[str, Any]) -> None:
    key = [(part["AttributeName"], part["KeyType"]) for part in description.get("KeySchema", ())]
    types = {part["AttributeName"]: part["AttributeType"] for part in description.get("AttributeDefinitions", ())}
    if key == [(KEY, "HASH")] and types.get(KEY) == "S":
        return
    found = ", ".join(f"{name} ({types.get(name, '?')})" for name, _ in key)
    raise ConfigurationError(
        f"the table {description.get('TableName')} is not a token table: its key is {found}, not {KEY} (S)",
        "check --table",
        "not-a-token-table",
    )


def _account_in(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 and parts[4] else None  # noqa: PLR2004  # arn:partition:service:region:account


def _measure_skew(response: Mapping[str, Any], now: float) -> int | None:
    second = parse_date_header(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"))
    # The header is cut to whole seconds, so the server's time is half a second later on average.
    return None if second is None else round(now - second - 0.5)


def _older_names(name: str) -> list[str]:
    deployment, age = _deployment_and_age(name)
    return [pattern.format(deployment=deployment) for pattern in NAME_PATTERNS[age + 1 :]]


def _newer_names(name: str) -> list[str]:
    deployment, age = _deployment_and_age(name)
    return (
        [pattern.format(deployment=deployment) for pattern in NAME_PATTERNS[:age]] if age < len(NAME_PATTERNS) else []
    )


def _deployment_and_age(name: str) -> tuple[str, int]:
    """Return the deployment in a table's name, and the position of its pattern; the number of patterns if none fits."""
    for age, pattern in enumerate(NAME_PATTERNS):
        suffix = pattern.removeprefix("{deployment}")
        if suffix == name:
            return _DEFAULT_DEPLOYMENT, age
        if suffix != pattern and name.endswith(suffix):
            return name.removesuffix(suffix), age
    return "", len(NAME_PATTERNS)


def _holds_rows(aws: AwsSession, name: str) -> bool:
    request: dict[str, Any] = {"TableName": name, "Limit": 1}
    try:
        for _ in range(_MAX_PAGES):
            with aws_errors("dynamodb:Scan", f"the table {name}"):
                page = page_of(aws.dynamodb.scan(**request), "dynamodb:Scan")
            if page.scanned or page.next_key is None:
                return page.scanned > 0
            # An empty page is not always the last one.
            request["ExclusiveStartKey"] = page.next_key
    except JanitorError as error:
        log.debug("table.not_looked_at", table=name, code=error.code)
    return False
