"""What a run of several tables cannot be told: places that they would write over each other, or that are of one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from janitor.settings.parsers import ReportTarget

_OF_ONE = ("{table}", "{region}", "{account}")


class Problem(NamedTuple):
    """A setting by its name, its value as somebody may have written it, what is wrong with it, and the way out."""

    name: str
    value: str
    sentence: str
    way_out: str


def problems_of_several(*, report: tuple[Any, ...], plan: Path | None, archive: object) -> Iterator[Problem]:
    """What is wrong with these settings in a run of several tables.

    Args:
        report: the places of reports; those for what is no report are passed over.
        plan: where the plan is kept.
        archive: where rows are kept before they are deleted.
    """
    for target in report:
        found = [name for name in _OF_ONE if name in str(target.place)] if isinstance(target, ReportTarget) else []
        if found:
            said = "one report tells of all tables, so there is nothing to put in for"
            yield Problem("report", str(target), f"{said} {' and '.join(found)}", "take it out of the name")
    if plan is not None:
        way_out = "take it away, or run one table at a time"
        yield Problem("plan", str(plan), "several tables would share it", way_out)
    # os.path's own check: that of pathlib raises where a folder on the way may not be searched.
    if isinstance(archive, Path) and not os.path.isdir(archive):  # noqa: PTH112
        way_out = "give a folder, with a slash at its end, or s3://bucket/prefix/"
        yield Problem("archive", str(archive), "several tables would share it", way_out)
