"""What a merged report says of its shards: which never came, which did not finish, and what each of them remarked."""

from collections.abc import Collection, Iterable, Sequence

from janitor.report.model import PROTECTS_NOBODY, Outcome, Remark, Report
from janitor.report.shard_names import named_shards

_WHERE = "shards"
_MOST_NAMED = 20


def missing_shards(missing: Sequence[int], count: int, begun: Collection[int] = ()) -> list[Remark]:
    """That these of `count` shards never came, or, those that had `begun`, to no end; nothing where all did."""
    never = [index for index in missing if index not in begun]
    without_end = [index for index in missing if index in begun]
    said = [f"{named_shards(never)} of {count} never came"] if never else []
    said += [f"{named_shards(without_end)} of {count} had not come to an end"] if without_end else []
    if not said:
        return []
    what = "its part of the table is" if len(missing) == 1 else "their parts of the table are"
    message = f"{' and '.join(said)}: {what} in no count; see why, and start them all anew"
    return [Remark(where=_WHERE, code="missing-shard", message=message)]


def unfinished_shards(told: Sequence[tuple[int, Report]], count: int) -> list[Remark]:
    """That shards were stopped without an error that says so, or passed the table over while others did not.

    Args:
        told: the shards' reports by their indices.
        count: how many shards there are.
    """
    stopped = [index for index, report in told if report.run.outcome is Outcome.INTERRUPTED and not report.errors]
    skipped = [index for index, report in told if report.run.outcome is Outcome.SKIPPED]
    remarks = []
    if stopped:
        message = f"{named_shards(stopped)} of {count} {_were(stopped)} stopped before the end: the counts are partial"
        remarks.append(Remark(where=_WHERE, code="stopped-shard", message=message))
    if skipped and len(skipped) < len(told):
        message = (
            f"{named_shards(skipped)} of {count} {_were(skipped)} passed over for another run: the counts are partial"
        )
        remarks.append(Remark(where=_WHERE, code="skipped-shard", message=message))
    return remarks


def remarks_of_shards(told: Iterable[tuple[int, Sequence[Remark]]], count: int) -> list[Remark]:
    """Every remark once, with the shards that made it; one that all made as a single run would.

    That a pattern protects nobody is said only where all say it.

    Args:
        told: the remarks of each shard, by its index; in the order of the shards.
        count: how many shards there are.
    """
    shards: dict[tuple[str, str, str], list[int]] = {}
    for index, remarks in told:
        for remark in dict.fromkeys((remark.where, remark.code, remark.message) for remark in remarks):
            shards.setdefault(remark, []).append(index)
    return [
        Remark(where=where, code=code, message=message if len(by) == count else f"{named_shards(by)}: {message}")
        for (where, code, message), by in shards.items()
        if code != PROTECTS_NOBODY or len(by) == count
    ]


def where_files_are(told: Sequence[tuple[int, Report]]) -> list[Remark]:
    """Where the shards' archives and plans are, if each has its own: a merged report has one place for either."""
    archives = _places("archives", [(index, report.deletion.archive) for index, report in told])
    return [*archives, *_places("plans", [(index, report.deletion.plan) for index, report in told])]


def _places(what: str, told: Sequence[tuple[int, str | None]]) -> list[Remark]:
    if len({place for _, place in told}) == 1:
        return []
    named = [f"{place} (shard {index})" for index, place in told if place is not None]
    more = len(named) - _MOST_NAMED
    rest = f" and {more:,} more, each in its shard's report" if more > 0 else ""
    message = f"the shards' {what}: {', '.join(named[:_MOST_NAMED])}{rest}"
    return [Remark(where="deletion", code=what, message=message)]


def _were(shards: Sequence[int]) -> str:
    return "was" if len(shards) == 1 else "were"
