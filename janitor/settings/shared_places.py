"""Finds what a run of several tables cannot have: a file that all would overwrite, or a name of one table."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from janitor.settings.parsers import ReportTarget

_TABLE_PLACEHOLDERS = ("{table}", "{region}", "{account}")


class SharedPlaceProblem(NamedTuple):
    """A setting by its name, its value as the user may have written it, what is wrong with it, and the way out."""

    name: str
    value: str
    sentence: str
    way_out: str


def find_shared_places(*, report: tuple[Any, ...], plan: Path | None, archive: object) -> Iterator[SharedPlaceProblem]:
    """Find what is wrong with these settings in a run of several tables.

    Args:
        report: the targets of reports; values that could not be parsed are skipped.
        plan: the file that keeps the plan.
        archive: where rows are kept before they are deleted.
    """
    for target in report:
        found = (
            [name for name in _TABLE_PLACEHOLDERS if name in str(target.place)]
            if isinstance(target, ReportTarget)
            else []
        )
        if found:
            sentence = f"one report covers all tables, so {' and '.join(found)} cannot be filled in"
            yield SharedPlaceProblem("report", str(target), sentence, "remove it from the name")
    if plan is not None:
        way_out = "remove it, or run one table at a time"
        yield SharedPlaceProblem("plan", str(plan), "several tables would share it", way_out)
    # Not pathlib's check, which raises if a folder on the way may not be searched.
    if isinstance(archive, Path) and not os.path.isdir(archive):  # noqa: PTH112
        way_out = "give a folder, with a slash at its end, or s3://bucket/prefix/"
        yield SharedPlaceProblem("archive", str(archive), "several tables would share it", way_out)
