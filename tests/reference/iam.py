"""iam.md: what each command may do in AWS, from the doctor's own table of needs and the policies in deploy/aws/iam."""

import json
from pathlib import Path
from typing import Any

from janitor.doctor.needs import NEEDS
from janitor.dynamodb.permissions import DELETE, PARTIQL_DELETE
from tests.reference.markdown import code, codes, page, table

_POLICIES = Path(__file__).resolve().parents[2] / "deploy" / "aws" / "iam"
_OPENING = """\
After this page you can give janitor the permissions that it needs in AWS, and no others."""
_ATTACH = """\
Choose a file of `deploy/aws/iam/`, fill its parameters in, and attach the result to the role that janitor runs as:

```sh
export partition=aws region=us-east-1 account=123456789012 table=LISAApiBaseTokenTable
export bucket=our-archives prefix=tokens/
envsubst < deploy/aws/iam/sweep.json > sweep-policy.json
aws iam put-role-policy --role-name janitor --policy-name sweep --policy-document file://sweep-policy.json
janitor doctor --deployment prod --for sweep      # tries each permission on your table, and changes no row
```

To report it needs `report-only.json`, to delete `sweep.json`, to put rows back `restore.json`. To notify people, to remember what was
announced, or to write reports to S3 it needs another file in addition: see the table.

`deploy/aws/iam/README.md` names the parameters of each. Terraform's `templatefile` fills in the same ones. For CloudFormation
`deploy/aws/policies.yaml` makes managed policies of the same statements."""
_NOTES = f"""\
- `sweep` without `--delete` needs only what `scan` needs.
- `--unlock-after` needs `dynamodb:Query`. `restore` needs it only in tables of LISA 6.1 and later, and not with `--beside`.
- `token list` needs only `dynamodb:Scan`, `token show` also `dynamodb:GetItem`. To these come `dynamodb:PutItem` for `add` and
  `import`, `dynamodb:UpdateItem` for `extend` and `revoke`, both for `rotate`, and `dynamodb:PartiQLDelete` for `remove` and
  `add --replace-expired`.
- `token import` also reads the table that it imports from, with `dynamodb:Scan` and `dynamodb:GetItem`.
- Every command that names its table uses `dynamodb:DescribeTable`. `dynamodb:DescribeTimeToLive` only serves a warning.
- `dynamodb:Query` is on the index `username-index` of tables of LISA 6.1 and later, to look up owners.
- `--delete-api item`, and what `auto` falls back to where PartiQL is denied, needs `{DELETE}` in place of `{PARTIQL_DELETE}`.
- Nothing here can put, change or delete a row in any other way: a sweep has no `PutItem`, `UpdateItem`, `BatchWriteItem` or
  other PartiQL action."""
# What each policy is for. Each but the first three is needed in addition to one of these.
_FOR = {
    "report-only.json": "`scan`, and `sweep` without `--delete`",
    "sweep.json": "`sweep --delete`, `apply`",
    "restore.json": "`restore`; `archive list` and `plan show` of an archive in S3",
    "find-by-parameter.json": "in addition, with `--ssm-parameter`",
    "last-seen.json": "in addition, with `--last-seen`",
    "notices.json": "in addition, with `--sns-topic-arn` and `--state-url dynamodb://…`",
    "reports-in-s3.json": "in addition, with `--report FORMAT=s3://…`",
    "schedule-task.json": "EventBridge Scheduler, where it starts the task of `deploy/aws/task.yaml` by a role that exists already",
}
_MORE = """\
- An archive that is a file needs no S3: leave the statements about the bucket out.
- `--state-url dynamodb://…` without `--sns-topic-arn` needs no SNS: leave the statement about the topic out of `notices.json`. The lease,
  too, needs only `dynamodb:BatchGetItem` and `dynamodb:UpdateItem` on the state table.
- `--last-seen` without a table's name also needs `ssm:GetParameter` on the parameter, as in `find-by-parameter.json`.
- `janitor doctor --create-state` needs `dynamodb:DescribeTable`, `CreateTable`, `DescribeTimeToLive` and `UpdateTimeToLive` on
  the state table, once.
- `janitor doctor` also asks, where it may, `dynamodb:DescribeTimeToLive` and `dynamodb:DescribeContinuousBackups` on the table,
  `sns:GetTopicAttributes` on the topic, and `s3:AbortMultipartUpload` to end the upload that it begins.
- A bucket or topic that is encrypted with a KMS key of yours needs `kms:GenerateDataKey` and `kms:Decrypt` on that key, a
  restore only `kms:Decrypt`; SSE-S3 needs nothing."""


def build_iam_page() -> str:
    """How to attach a policy, what each allows, and what each command needs on the table."""
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
            # Said once of each file.
            *((code(path.name), _FOR[path.name]) if number == 0 else ("", "")),
            codes(_list(statement["Action"])),
            codes(map(_shorten, _list(statement["Resource"]))),
        )
        for path in sorted(_POLICIES.glob("*.json"), key=lambda path: list(_FOR).index(path.name))
        for number, statement in enumerate(json.loads(path.read_text(encoding="utf-8"))["Statement"])
    ]
    return page(
        "Permissions",
        _OPENING,
        "## Attach a policy",
        _ATTACH,
        "## What each policy allows",
        table(("file", "for", "actions", "on"), statements),
        _MORE,
        "## What each command needs on the token table",
        table(("command", "needs", "and, for all it can do"), needs),
        _NOTES,
    )


def _shorten(resource: str) -> str:
    """A resource without the partition, the region and the account, which are the same in all."""
    return resource.removeprefix("arn:").split(":", maxsplit=4)[-1]


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
