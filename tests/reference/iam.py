"""iam.md: what each command may do in AWS, from the doctor's own table of needs and the policies in deploy/aws/iam."""

import json
from pathlib import Path
from typing import Any

from janitor.doctor.needs import NEEDS
from janitor.dynamodb.permissions import DELETE, PARTIQL_DELETE
from tests.reference.markdown import code, codes, page, table

_POLICIES = Path(__file__).resolve().parents[2] / "deploy" / "aws" / "iam"
_OPENING = """\
After this page you can give janitor the rights that it needs in AWS, and no others.

`janitor doctor --for COMMAND` tries each of them on your table, and changes no row."""
_NOTES = f"""\
- `token`: `list` needs `dynamodb:Scan`; `show` `dynamodb:GetItem` besides; `add` and `import` `dynamodb:PutItem` besides;
  `extend` and `revoke` `dynamodb:UpdateItem`; `rotate` both; `remove` and `add --replace-expired` what a sweep needs. `import`
  also reads the table that it imports from, with `dynamodb:Scan` and `dynamodb:GetItem`.
- Every command that names its table uses `dynamodb:DescribeTable`. `dynamodb:DescribeTimeToLive` only serves a warning.
- `dynamodb:Query` is on the index `username-index` of tables of LISA 6.1 and later, to look up owners.
- `--delete-api item`, and what `auto` falls back to where PartiQL is denied, needs `{DELETE}` in place of `{PARTIQL_DELETE}`.
- Nothing here can put, change or delete a row in any other way: a sweep has no `PutItem`, `UpdateItem`, `BatchWriteItem` or
  other PartiQL action."""
# What each policy is for. Each but the first three is needed besides one of these.
_FOR = {
    "report-only.json": "`scan`, and `sweep` without `--delete`",
    "sweep.json": "`sweep --delete`, `apply`",
    "restore.json": "`restore`; `archive list` and `plan show` of an archive in S3",
    "find-by-parameter.json": "besides, with `--ssm-parameter`",
    "last-seen.json": "besides, with `--last-seen`",
    "notices.json": "besides, with `--sns-topic-arn` and `--state-url dynamodb://…`",
    "reports-in-s3.json": "besides, with `--report FORMAT=s3://…`",
    "schedule-task.json": "EventBridge Scheduler, where it starts the task of `deploy/aws/task.yaml` by a role that exists already",
}
_MORE = """\
- An archive that is a file needs no S3: leave the statements about the bucket out. `archive list` and `plan show` of an archive
  in S3 need what `restore.json` has for the bucket.
- `--last-seen` without a table's name also needs `ssm:GetParameter` on the parameter, as in `find-by-parameter.json`.
- `janitor doctor --create-state` needs `dynamodb:DescribeTable`, `CreateTable`, `DescribeTimeToLive` and `UpdateTimeToLive` on
  the state table, once.
- `janitor doctor` also asks, where it may, `dynamodb:DescribeTimeToLive` and `dynamodb:DescribeContinuousBackups` on the table,
  `sns:GetTopicAttributes` on the topic, and `s3:AbortMultipartUpload` to end the upload that it begins.
- A bucket or topic that is encrypted with a KMS key of yours needs `kms:GenerateDataKey` and `kms:Decrypt` on that key, a
  restore only `kms:Decrypt`; SSE-S3 needs nothing.

## Attach a policy

Fill the parameters in and attach the result to the role that janitor runs as:

```sh
export partition=aws region=us-east-1 account=123456789012 table=LISAApiBaseTokenTable
export bucket=our-archives prefix=tokens/
envsubst < deploy/aws/iam/sweep.json > sweep-policy.json
aws iam put-role-policy --role-name janitor --policy-name sweep --policy-document file://sweep-policy.json
```

Terraform's `templatefile` fills in the same parameters. For CloudFormation there is `deploy/aws/policies.yaml`, which makes
managed policies of the same statements."""


def build_iam_page() -> str:
    """What each command needs on the table, then what each policy allows."""
    needs = [
        (
            code(each.command),
            codes([*each.actions, *([PARTIQL_DELETE] if each.deletes else [])]),
            codes(each.optional_actions),
        )
        for each in NEEDS.values()
    ]
    statements = [
        (
            code(path.name),
            _FOR[path.name],
            codes(_list(statement["Action"])),
            codes(map(_shorten, _list(statement["Resource"]))),
        )
        for path in sorted(_POLICIES.glob("*.json"), key=lambda path: list(_FOR).index(path.name))
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]
    ]
    return page(
        "Rights in AWS",
        _OPENING,
        "## On the token table",
        table(("command", "needs", "and, for all it can do"), needs),
        _NOTES,
        "## Policies to attach",
        "`deploy/aws/iam/` has a policy for each task, with parameters to fill in (`deploy/aws/iam/README.md` names them):",
        table(("file", "for", "actions", "on"), statements),
        _MORE,
    )


def _shorten(resource: str) -> str:
    """A resource without the partition, the region and the account, which are the same in all."""
    return resource.removeprefix("arn:").split(":", maxsplit=4)[-1]


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
