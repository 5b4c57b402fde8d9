"""Where a report of this run goes: the place that was given, its placeholders filled in."""

import datetime as dt
from pathlib import Path

from janitor.parsers import S3Key, expanded_key, expanded_path


def expanded(place: Path | S3Key, table: str, run_id: str) -> Path | S3Key:
    """The place of a run of this table, by today's date in UTC."""
    today = dt.datetime.now(dt.UTC).date()
    if isinstance(place, S3Key):
        return S3Key(place.bucket, expanded_key(place.key, table=table, date=today, run_id=run_id))
    return expanded_path(place, table=table, date=today, run_id=run_id)
