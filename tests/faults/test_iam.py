"""The policies in deploy/aws/iam against a server that enforces them: each suffices, and allows nothing besides."""

import itertools
import json
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.command import Finished, janitor
from tests.faults.proxy import Forward, Meddling, Request, meddling_proxy
from tests.servers import ministack
from tests.sweeping import LONG_AGO, arguments_of, key_of, keys_in, living_rows, stale_rows
from tests.tables import Item, create_table, modern

POLICIES = Path(__file__).parents[2] / "deploy" / "aws" / "iam"
TABLE, OTHER, BUCKET, PREFIX = "tokens", "other-tokens", "archive", "tokens/"
PARAMETER = "deployment/table"
TOPIC, STATE, USAGE = "told", "state", "usage-metrics"
ACCOUNT = "000000000000"
PARTIQL_DELETE = "dynamodb:PartiQLDelete"
STALE = 24  # one batch

Policy = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """An account on a server that enforces IAM, and its administrator's session."""

    url: str
    proxy: str
    meddling: Meddling
    admin: boto3.Session
    numbers: Iterator[int]

    def client(self, service: str) -> Any:
        return self.admin.client(service, endpoint_url=self.url)  # type: ignore[call-overload]

    def user(self, *policies: Policy) -> dict[str, str]:
        """The credentials of a new user who may do what these policies say, as environment variables."""
        iam, name = self.client("iam"), f"user-{next(self.numbers)}"
        iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            iam.put_user_policy(
                UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(as_the_server_knows_it(policy))
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def table(self, rows: list[Item]) -> None:
        """Make the table anew, with these rows."""
        client = self.client("dynamodb")
        if TABLE in client.list_tables()["TableNames"]:
            client.delete_table(TableName=TABLE)
        create_table(client, TABLE, hashed=True, rows=rows)

    def run(self, credentials: dict[str, str], *arguments: str) -> Finished:
        environment = {**credentials, "AWS_ENDPOINT_URL_S3": self.url, "AWS_ENDPOINT_URL_SSM": self.url}
        return janitor(*arguments, env=environment, timeout=60)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with ministack(AUTH="true") as url, meddling_proxy(url) as (proxy, meddling):
        made = Account(url, proxy, meddling, boto3.Session(), itertools.count())
        create_table(made.client("dynamodb"), OTHER, hashed=True, rows=living_rows(6))
        made.client("s3").create_bucket(Bucket=BUCKET)
        made.client("ssm").put_parameter(Name=f"/{PARAMETER}", Value=TABLE, Type="String")
        yield made


def policy(name: str, partition: str = "aws") -> Policy:
    """A policy file with its parameters filled in, and what this server calls an action by another name."""
    text = string.Template((POLICIES / f"{name}.json").read_text()).substitute(
        partition=partition,
        region="us-east-1",
        account=ACCOUNT,
        table=TABLE,
        bucket=BUCKET,
        prefix=PREFIX,
        parameter=PARAMETER,
        topic=TOPIC,
        state_table=STATE,
        usage_table=USAGE,
        stack="janitor",
        task_role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/janitor-task",
        execution_role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/janitor-execution",
    )
    parsed: Policy = json.loads(text)
    return parsed


def as_the_server_knows_it(policy: Policy) -> Policy:
    """AWS asks for an action a statement or write, on the table; this server for one that AWS has not, on anything."""
    allowed = actions(policy)
    own = ["dynamodb:BatchExecuteStatement"] if PARTIQL_DELETE in allowed else []
    own += ["dynamodb:TransactWriteItems"] if "dynamodb:UpdateItem" in allowed else []
    own += ["sns:PublishBatch"] if "sns:Publish" in allowed else []
    more = [{"Effect": "Allow", "Action": own, "Resource": "*"}] if own else []
    return {**policy, "Statement": [*policy["Statement"], *more]}


def actions(policy: Policy) -> list[str]:
    """Every action that it allows."""
    each = (statement["Action"] for statement in policy["Statement"])
    return [name for names in each for name in ([names] if isinstance(names, str) else names)]


def without(policy: Policy, action: str) -> Policy:
    """The policy less one action."""
    statements = []
    for statement in policy["Statement"]:
        names = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if kept := [name for name in names if name != action]:
            statements.append({**statement, "Action": kept})
    return {**policy, "Statement": statements}


def lose_every_other_answer(request: Request, forward: Forward) -> tuple[int, Any]:
    """Carry the batch out, and say of every other row that it failed: what became of it is open."""
    status, answer = forward(request)
    for response in answer.get("Responses", ())[::2]:
        response.clear()
        response["Error"] = {"Code": "ConditionalCheckFailed", "Message": "or not"}
    return status, answer


def swept(account: Account, policy: Policy) -> dict[str, Any]:
    """A sweep that does everything a sweep can do, with what matters of its report."""
    account.table([*stale_rows(STALE), *living_rows(60)])
    ttl = {"Enabled": True, "AttributeName": "tokenExpiration"}
    account.client("dynamodb").update_time_to_live(TableName=TABLE, TimeToLiveSpecification=ttl)
    account.meddling.by_operation["BatchExecuteStatement"] = lose_every_other_answer
    finished = account.run(account.user(policy), *arguments_of(account.proxy, TABLE, f"s3://{BUCKET}/{PREFIX}"))
    report = json.loads(finished.out) if finished.out else {"deletion": {}, "errors": [], "warnings": []}
    counts = {name: report["deletion"].get(name) for name in ("deleted", "already_gone", "failed")}
    remarks = sorted(remark["code"] for remark in [*report["errors"], *report["warnings"]])
    # What a sweep says of the rows it spares is the same under every policy.
    remarks = [code for code in remarks if code not in ("workbench-only", "breaks-lisa-list")]
    return {"code": finished.code, **counts, "remarks": remarks}


EVERYTHING = {"code": 0, "deleted": STALE // 2, "already_gone": STALE // 2, "failed": 0, "remarks": ["ttl"]}


def test_the_sweep_policy_suffices_for_everything_that_a_sweep_does(account: Account) -> None:
    assert swept(account, policy("sweep")) == EVERYTHING


@pytest.mark.parametrize("action", actions(policy("sweep")))
def test_no_action_of_the_sweep_policy_can_be_left_out(account: Account, action: str) -> None:
    assert swept(account, without(policy("sweep"), action)) != EVERYTHING


def test_the_sweep_policy_reaches_no_other_table_and_no_other_prefix(account: Account) -> None:
    user = account.user(policy("sweep"))
    account.table([*stale_rows(STALE), *living_rows(60)])
    other = account.run(user, *arguments_of(account.url, OTHER, f"s3://{BUCKET}/{PREFIX}"))
    assert (other.code, "was denied" in other.err) == (1, True)
    elsewhere = account.run(user, *arguments_of(account.url, TABLE, f"s3://{BUCKET}/elsewhere/"))
    assert (elsewhere.code, "allow s3:PutObject" in elsewhere.err) == (4, True)


def test_the_report_only_policy_scans_its_table_and_no_other(account: Account) -> None:
    user = account.user(policy("report-only"))
    account.table([*stale_rows(STALE), *living_rows(60)])
    finished = account.run(user, "scan", "--table", TABLE, "--endpoint-url", account.url)
    report = json.loads(finished.out)
    assert (finished.code, report["counts"]["stale"], report["errors"]) == (0, STALE, [])
    other = account.run(user, "scan", "--table", OTHER, "--endpoint-url", account.url)
    assert (other.code, other.out) == (1, "")
    assert "allow dynamodb:DescribeTable on it" in other.err


def test_the_last_seen_policy_suffices_and_without_it_the_permission_is_named(account: Account) -> None:
    account.table(living_rows(3))
    client = account.client("dynamodb")
    client.create_table(
        TableName=USAGE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "userId", "AttributeType": "S"}],
    )
    options = ("token", "list", "--table", TABLE, "--endpoint-url", account.url, "--last-seen", USAGE)
    allowed = json.loads(account.run(account.user(policy("report-only"), policy("last-seen")), *options).out)
    assert (allowed["warnings"], allowed["idle"]["after_seconds"]) == ([], 90 * 86_400)
    denied = account.run(account.user(policy("report-only")), *options)
    report = json.loads(denied.out)
    assert (denied.code, report["idle"], len(report["findings"])) == (0, None, 3)
    [warning] = report["warnings"]
    assert "allow dynamodb:BatchGetItem on it" in warning["message"]


@pytest.mark.parametrize("action", actions(policy("report-only")))
def test_no_action_of_the_report_only_policy_can_be_left_out(account: Account, action: str) -> None:
    account.table([*stale_rows(STALE), *living_rows(60)])
    user = account.user(without(policy("report-only"), action))
    finished = account.run(user, "scan", "--table", TABLE, "--endpoint-url", account.url)
    assert finished.code != 0 or json.loads(finished.out)["warnings"]


@pytest.mark.parametrize("api", ["auto", "partiql", "item"])
def test_the_report_only_policy_cannot_delete(account: Account, tmp_path: Path, api: str) -> None:
    account.meddling.by_operation.clear()
    account.table([*stale_rows(STALE), *living_rows(60)])
    before = keys_in(account.client("dynamodb"), TABLE)
    arguments = arguments_of(account.url, TABLE, tmp_path / "archive.ndjson", "--delete-api", api)
    finished = account.run(account.user(policy("report-only")), *arguments)
    missing = PARTIQL_DELETE if api == "partiql" else "dynamodb:DeleteItem"
    assert finished.code == 1
    assert f"allow {missing} on it" in finished.err
    assert keys_in(account.client("dynamodb"), TABLE) == before


def test_where_partiql_is_denied_a_sweep_goes_on_with_delete_item(account: Account, tmp_path: Path) -> None:
    account.table([*stale_rows(STALE), *living_rows(60)])
    instead = json.loads(json.dumps(policy("sweep")).replace(PARTIQL_DELETE, "dynamodb:DeleteItem"))
    finished = account.run(account.user(instead), *arguments_of(account.url, TABLE, tmp_path / "archive.ndjson"))
    assert (finished.code, json.loads(finished.out)["deletion"]["deleted"]) == (0, STALE)
    assert finished.err.count("delete.without_partiql") == 1


def restored(account: Account) -> str:
    """Sweep a row away as the administrator, into an archive in S3; say where that is."""
    row = modern("gone", int(time.time()) - LONG_AGO)
    account.table([row, *living_rows(60)])
    account.meddling.by_operation.clear()
    finished = account.run({}, *arguments_of(account.url, TABLE, f"s3://{BUCKET}/{PREFIX}"))
    place: str = json.loads(finished.out)["deletion"]["archive"]
    assert key_of(row) not in keys_in(account.client("dynamodb"), TABLE)
    return place


def put_back(account: Account, policy: Policy, place: str) -> tuple[int, int]:
    """The exit codes of a dry run and of a real run."""
    user = account.user(policy)
    arguments = ("restore", place, "--all", "--table", TABLE, "--endpoint-url", account.url)
    return account.run(user, *arguments, "--dry-run").code, account.run(user, *arguments).code


def test_the_restore_policy_suffices(account: Account) -> None:
    place = restored(account)
    rows = len(keys_in(account.client("dynamodb"), TABLE))
    assert put_back(account, policy("restore"), place) == (0, 0)
    assert len(keys_in(account.client("dynamodb"), TABLE)) == rows + 1


@pytest.mark.parametrize("action", actions(policy("restore")))
def test_no_action_of_the_restore_policy_can_be_left_out(account: Account, action: str) -> None:
    assert put_back(account, without(policy("restore"), action), restored(account)) != (0, 0)


def test_the_parameter_policy_lets_the_table_be_found(account: Account) -> None:
    account.table([*stale_rows(STALE), *living_rows(60)])
    arguments = ("scan", "--ssm-parameter", f"/{PARAMETER}", "--endpoint-url", account.url)
    assert account.run(account.user(policy("report-only"), policy("find-by-parameter")), *arguments).code == 0
    denied = account.run(account.user(policy("report-only")), *arguments)
    assert (denied.code, "allow ssm:GetParameter" in denied.err) == (1, True)


def announced(account: Account, *policies: Policy) -> Finished:
    """A run with everything that a run can tell, on a table where something is due."""
    account.table([modern("due", int(time.time()) + 3_600), *living_rows(60)])
    told = account.client("sns").create_topic(Name=TOPIC)["TopicArn"]
    state = ("--state-url", f"dynamodb://{STATE}")
    assert account.run({}, "doctor", *state, "--create-state", "--endpoint-url", account.url).code == 0
    reports = ("--report", f"html=s3://{BUCKET}/{PREFIX}{{table}}/{{run_id}}.html")
    where = ("--table", TABLE, "--endpoint-url", account.url)
    return account.run(
        account.user(policy("report-only"), *policies),
        *("scan", *where, "--sns-topic-arn", told, *state, "--per-token", *reports),
    )


def test_the_policies_for_notices_and_reports_suffice(account: Account) -> None:
    finished = announced(account, policy("notices"), policy("reports-in-s3"))
    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["notices"]["sent"] > 0


@pytest.mark.parametrize("action", ["sns:Publish", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "s3:PutObject"])
def test_none_of_these_actions_can_be_left_out(account: Account, action: str) -> None:
    both = (without(policy("notices"), action), without(policy("reports-in-s3"), action))
    assert announced(account, *both).code != 0


@pytest.mark.parametrize("name", sorted(path.stem for path in POLICIES.glob("*.json")))
def test_a_policy_stands_in_any_partition(name: str) -> None:
    for statement in policy(name, "aws-us-gov")["Statement"]:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            assert resource.startswith("arn:aws-us-gov:")


def test_every_policy_is_in_the_readme() -> None:
    assert {path.name for path in POLICIES.glob("*.json")} <= set((POLICIES / "README.md").read_text().split("`"))
