"""Who reads a table where nobody has said it: one process, if only that one can ask a person or keep a budget."""

import os
from pathlib import Path

import pytest
from msgspec import structs

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.readers.in_process import ThreadReader
from janitor.settings.limits import LimitSettings
from janitor.settings.table import TableSettings
from janitor.stopping import Stop
from janitor.wiring.budgets import make_budgets
from janitor.wiring.open_table import OpenTable
from janitor.wiring.readers import make_reader
from tests.unit.rows import TABLE

GIGABYTE = 1024**3
CREDENTIALS = '{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}'
# What such a program asks for, a passphrase or a touch, nobody knows.
PROFILES = f"""
[profile plain]
aws_access_key_id = test
aws_secret_access_key = test
[profile asking]
credential_process = printf '{CREDENTIALS}'
"""


@pytest.mark.parametrize(
    ("profile", "max_rcu", "workers", "is_read_here"),
    [
        ("plain", None, None, False),
        ("asking", None, None, True),
        ("plain", 100.0, None, True),
        ("asking", 100.0, 2, False),
    ],
)
def test_a_table_with_a_budget_or_of_somebody_who_is_asked_is_read_by_one_process(
    *,
    profile: str,
    max_rcu: float | None,
    workers: int | None,
    is_read_here: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("janitor.wiring.readers.count_available_cores", lambda: 4)
    monkeypatch.setattr("janitor.wiring.readers._read_physical_memory", lambda: 64 * GIGABYTE)
    monkeypatch.setattr("janitor.wiring.readers._MEMORY_LIMIT", tmp_path / "no-limit")
    (tmp_path / "config").write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    reader = make_reader(
        opened_table(profile, max_rcu),
        LimitSettings(segments=None, workers=workers),
        TableSettings(table="tokens", profile=profile),
        Stop(),
    )
    assert isinstance(reader, ThreadReader) is is_read_here


def opened_table(profile: str, max_rcu: float | None) -> OpenTable:
    """A table so large that several processes read it, unless something speaks against them."""
    aws = AwsSession(AwsAccess(region="us-east-1", profile=profile, environment=os.environ))
    table = structs.replace(TABLE, size_bytes=GIGABYTE)
    return OpenTable(aws, table, make_budgets(aws, table, max_rcu=max_rcu))
