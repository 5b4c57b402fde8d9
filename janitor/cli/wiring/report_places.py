"""Where a report of this run goes: the place that was given, its placeholders filled in."""

import datetime as dt
from pathlib import Path

from janitor.dynamodb.locate import Table
from janitor.parsers import Placeholders, S3Key, expanded_key, expanded_path


def expanded(place: Path | S3Key, table: Table | None, run_id: str) -> Path | S3Key:
    """The place of a run of this table, or of several, by today's date in UTC."""
    today = dt.datetime.now(dt.UTC).date()
    of_table = (table.name, table.region or "-", table.account_id or "-") if table else ("-", "-", "-")
    placeholders = Placeholders(*of_table, today, run_id)
    if isinstance(place, S3Key):
        return S3Key(place.bucket, expanded_key(place.key, placeholders))
    return expanded_path(place, placeholders)
