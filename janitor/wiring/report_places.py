"""Where a report of this run goes: the place that was given, its placeholders filled in."""

import datetime as dt
from pathlib import Path

from janitor.dynamodb.locate import Table
from janitor.settings.output import OutputSettings
from janitor.settings.parsers import Placeholders, S3Key, expanded_key, expanded_path

# Formats that hold every finding, or the most, best first.
_FULL = ("json", "ndjson", "html", "csv")


def expanded(place: Path | S3Key, table: Table | None, run_id: str) -> Path | S3Key:
    """The place of a run of this table, or of several, by today's date in UTC."""
    today = dt.datetime.now(dt.UTC).date()
    of_table = (table.name, table.region or "-", table.account_id or "-") if table else ("-", "-", "-")
    placeholders = Placeholders(*of_table, today, run_id)
    if isinstance(place, S3Key):
        return S3Key(place.bucket, expanded_key(place.key, placeholders))
    return expanded_path(place, placeholders)


def pointer_of(output: OutputSettings, table: Table | None, run_id: str) -> str | None:
    """Where a full report is, None for nowhere: in S3 if one is there, and in the format that holds most.

    `table` is whose name may stand in the place, None for nobody's.
    """
    full = [target for target in output.report if target.format in _FULL]
    if not full:
        return None
    place = min(full, key=lambda each: (not isinstance(each.place, S3Key), _FULL.index(each.format))).place
    place = expanded(place, table, run_id)
    return str(place if isinstance(place, S3Key) else place.absolute())
