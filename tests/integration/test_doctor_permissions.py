"""`janitor doctor` where permissions are missing: it names each, all of them at once, and what it must not do it does
not.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.faults.proxy import Meddling
from tests.faults.test_iam import BUCKET, PREFIX, TABLE, Account, policy, without
from tests.servers import ministack
from tests.sweeping import keys_in, living_rows

PARTIQL, ITEM, DESCRIBE = "dynamodb:PartiQLDelete", "dynamodb:DeleteItem", "dynamodb:DescribeTable"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account with the table, in which only what a policy allows is allowed."""
    with ministack(AUTH="true") as url:
        made = Account(url, url, Meddling(), boto3.Session(), itertools.count())
        made.client("s3").create_bucket(Bucket=BUCKET)
        made.table(living_rows(6))
        yield made


def examined(account: Account, command: str, *policies: dict[str, Any], archive: str = PREFIX) -> tuple[int, Any]:
    """The exit code, and the status and the rest of each check by its name."""
    options = ("--table", TABLE, "--endpoint-url", account.url, "--archive", f"s3://{BUCKET}/{archive}")
    finished = account.run(account.user(*policies), "doctor", "--for", command, *options)
    return finished.code, {check["name"]: check for check in json.loads(finished.out)["checks"]}


def failed(checks: Any) -> set[str]:
    return {name for name, check in checks.items() if check["status"] == "failed"}


def test_nothing_is_left_in_the_bucket(account: Account) -> None:
    s3 = account.client("s3")
    code, checks = examined(account, "sweep", policy("sweep"), policy("reports-in-s3"))
    assert (code, checks["archive"]["status"]) == (0, "ok")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_the_policies_of_this_project_suffice_for_what_they_are_for(account: Account) -> None:
    for command, name in (("scan", "report-only"), ("sweep", "sweep"), ("restore", "restore")):
        code, checks = examined(account, command, policy(name))
        assert (code, failed(checks)) == (0, set()), command


def test_the_report_only_policy_does_not_for_a_sweep_and_each_missing_action_is_named(account: Account) -> None:
    rows = keys_in(account.client("dynamodb"), TABLE)
    code, checks = examined(account, "sweep", policy("report-only"))
    assert (code, failed(checks)) == (1, {"dynamodb:GetItem", PARTIQL, ITEM, "archive"})
    for action in ("dynamodb:GetItem", PARTIQL, ITEM):
        assert f"allow {action} on it" in checks[action]["way_out"]
    assert checks["archive"]["way_out"].startswith("allow s3:PutObject on it")
    assert checks["dynamodb:DescribeTimeToLive"]["status"] == "warning"
    assert keys_in(account.client("dynamodb"), TABLE) == rows


def test_a_restore_needs_the_index_of_owners_and_a_scan_only_says_less_without_it(account: Account) -> None:
    query = "dynamodb:Query"
    code, checks = examined(account, "restore", without(policy("restore"), query))
    assert (code, failed(checks)) == (1, {query})
    code, checks = examined(account, "scan", without(policy("report-only"), query))
    assert (code, checks[query]["status"]) == (0, "warning")


def test_where_only_delete_item_is_allowed_a_sweep_goes_on_with_it(account: Account) -> None:
    instead = json.loads(json.dumps(policy("sweep")).replace(PARTIQL, ITEM))
    code, checks = examined(account, "sweep", instead)
    assert (code, checks[PARTIQL]["status"], checks[ITEM]["status"]) == (0, "warning", "ok")
    assert "one by one" in checks[PARTIQL]["found"]


def test_what_else_is_missing_is_named_too_where_the_table_cannot_be_described(account: Account) -> None:
    code, checks = examined(account, "sweep", without(policy("sweep"), DESCRIBE), archive="elsewhere/")
    assert (code, failed(checks)) == (1, {DESCRIBE, "archive"})
    assert f"allow {DESCRIBE} on it" in checks[DESCRIBE]["way_out"]
    assert (checks["dynamodb:Scan"]["status"], checks[PARTIQL]["status"]) == ("ok", "ok")
    assert checks["clock"]["found"] == f"not checked: {DESCRIBE} is denied"
