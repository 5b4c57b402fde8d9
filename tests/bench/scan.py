"""How many rows a CPU second is enough for: janitor beside its peers, whole commands, alternating in one run."""

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.commands import janitor_scan, peer
from tests.bench.figures import Figure, in_turns, lead
from tests.bench.processes import CommandFailedError, measure, output_of, replay_server
from tests.bench.rows import ROWS_PER_PAGE, findings_in

# A peer that is slow gets fewer pages: rates compare, and its start weighs about as much as janitor's does.
_MANY_PAGES = 500
_FEW_PAGES = 30
_FEW_FILTERED_PAGES = 150
_ROUNDS = 5
_GOAL_RATIO = 12


@dataclass(frozen=True)
class Contender:
    """One command that is measured, over a table of `pages` pages; `read` finds (rows, findings) in what it prints."""

    name: str
    command: tuple[str, ...]
    pages: int
    read: Callable[[bytes], tuple[int, int]]

    @property
    def rows(self) -> int:
        """How many rows it looks at."""
        return self.pages * ROWS_PER_PAGE

    def check(self) -> None:
        """Run it once, unmeasured: a fast wrong answer is no figure. It also warms Python's byte-code cache."""
        expected = self.rows, findings_in(self.pages)
        found = self.read(output_of(self.command))
        if found != expected:
            raise CommandFailedError(f"{self.name}: (rows, findings) are {found} where {expected} were served")

    def rate(self) -> float:
        """Run it once and give the rows it looked at in a second of CPU time."""
        return self.rows / measure(self.command).cpu_seconds


def run() -> list[Figure]:
    """Measure every contender in every round, and janitor's lead over the paginator round by round."""
    with ExitStack() as servers:
        whole = servers.enter_context(replay_server(_MANY_PAGES))
        whole_short = servers.enter_context(replay_server(_FEW_PAGES))
        filtered = servers.enter_context(replay_server(_MANY_PAGES, "--filtered"))
        filtered_short = servers.enter_context(replay_server(_FEW_FILTERED_PAGES, "--filtered"))
        contenders = {
            contender.name: contender
            for contender in (*_on_whole_pages(whole, whole_short), *_on_filtered_pages(filtered, filtered_short))
        }
        for contender in contenders.values():
            contender.check()
        rates = in_turns({name: contender.rate for name, contender in contenders.items()}, _ROUNDS)
    return [*_rate_figures(rates), *_lead_figures(rates)]


def _on_whole_pages(url: str, short_url: str) -> Iterator[Contender]:
    """Every row comes over the wire, for all alike: what decoding and classifying cost."""
    yield Contender("janitor json", _janitor(url, "json"), _MANY_PAGES, _read_report)
    yield Contender("paginator", peer("paginator", short_url), _FEW_PAGES, _read_peer)
    yield Contender("janitor ndjson", _janitor(url, "ndjson"), _MANY_PAGES, _read_stream)
    yield Contender("table_scan", peer("table_scan", short_url), _FEW_PAGES, _read_peer)
    yield Contender("floor", peer("floor", url), _MANY_PAGES, _read_peer)


def _on_filtered_pages(url: str, short_url: str) -> Iterator[Contender]:
    """The server keeps active rows to itself, as DynamoDB does when it is asked to; they count as looked at."""
    yield Contender("janitor json, filtered", _janitor(url, "json"), _MANY_PAGES, _read_report)
    yield Contender("paginator, filtered", peer("paginator", short_url, "--filtered"), _FEW_FILTERED_PAGES, _read_peer)


def _janitor(url: str, form: str) -> tuple[str, ...]:
    return janitor_scan(url, "--segments", "1", "--format", form)


def _rate_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    for name, values in rates.items():
        yield Figure(f"{name}, rows a CPU second", f"{statistics.median(values):,.0f}")


def _lead_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    pairs = (
        ("janitor json", "paginator", _GOAL_RATIO),
        ("janitor ndjson", "paginator", _GOAL_RATIO),
        ("janitor json, filtered", "paginator, filtered", None),
    )
    for ours, theirs, goal in pairs:
        yield lead(ours, theirs, rates, goal)


def _read_peer(printed: bytes) -> tuple[int, int]:
    outcome = json.loads(printed)
    return outcome["rows"], outcome["findings"]


def _read_report(printed: bytes) -> tuple[int, int]:
    counts = json.loads(printed)["counts"]
    return counts["scanned"], counts["scanned"] - counts["active"]


def _read_stream(printed: bytes) -> tuple[int, int]:
    """Read janitor's ndjson: a line a finding, and the report as the last."""
    lines = printed.splitlines()
    scanned, findings = _read_report(lines[-1])
    if findings != len(lines) - 1:
        raise CommandFailedError(f"janitor ndjson: {len(lines) - 1} findings are listed where {findings} are counted")
    return scanned, findings
