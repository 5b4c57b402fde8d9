"""Where in S3 a report of this run goes."""

import datetime as dt

from janitor.parsers import S3Key, expanded_key


def expanded(place: S3Key, table: str, run_id: str) -> S3Key:
    """The place with its placeholders filled in, by today's date in UTC."""
    today = dt.datetime.now(dt.UTC).date()
    return S3Key(place.bucket, expanded_key(place.key, table=table, date=today, run_id=run_id))
