"""How many rows a CPU second is enough for: janitor beside its peers, whole commands, alternating in one run."""

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import TABLE, janitor_scan, peer
from tests.bench.figures import Figure, in_turns, lead
from tests.bench.foreign import foreign_bin
from tests.bench.processes import CommandFailedError, measure, output_of, replay_server
from tests.bench.rows import ROWS_PER_PAGE, findings_in

# A peer that is slow gets fewer pages: rates compare, and its start weighs about as much as janitor's does.
_MANY_PAGES = 1_000
# 240,540 rows: as many as a large deployment may have, where the start still weighs.
_FEW_PAGES = 60
_FEWEST_PAGES = 10
_FILTERED_PAGES = 500
_FEW_FILTERED_PAGES = 150
_ON_FEW_PAGES = f", {_FEW_PAGES * ROWS_PER_PAGE:,} rows"
_ROUNDS = 5
_SHELL = "/bin/sh"
_AWS_CLI = Path(__file__).with_name("peers") / "aws_cli.sh"

_FORMATS = ("json", "ndjson", "csv")
# How many times as fast as the paginator janitor has to be, by format; and, in json and ndjson, as the other peers.
_LEADS_OVER_PAGINATOR = {"json": 30, "ndjson": 25, "csv": 25}
_LEAD_ON_FEW_PAGES = 15
_GOALS = {"aws_cli and jq": 80, "table_scan": None, "parallel_scan": None, "floor": 0.5}
# How fast a format has to be beside the next one: they do the same work up to the last step.
_LEAST_OF_ANOTHER_FORMAT = 0.77


@dataclass(frozen=True)
class Contender:
    """One command that is measured, over a table of `pages` pages; `read` finds (rows, findings) in what it prints."""

    name: str
    command: tuple[str, ...]
    pages: int
    read: Callable[[bytes], tuple[int, int]]
    program: str = sys.executable

    @property
    def rows(self) -> int:
        """How many rows it looks at."""
        return self.pages * ROWS_PER_PAGE

    def check(self) -> None:
        """Run it once, unmeasured: a fast wrong answer is no figure. It also warms Python's byte-code cache."""
        expected = self.rows, findings_in(self.pages)
        found = self.read(output_of(self.command, program=self.program))
        if found != expected:
            raise CommandFailedError(f"{self.name}: (rows, findings) are {found} where {expected} were served")

    def rate(self) -> float:
        """Run it once and give the rows it looked at in a second of CPU time."""
        return self.rows / measure(self.command, program=self.program).cpu_seconds


def run() -> list[Figure]:
    """Measure every contender in every round, and janitor's lead over each peer round by round."""
    with ExitStack() as servers:
        # No row comes twice: in a real table none does, and whoever remembers rows must not gain by it here.
        whole = {
            pages: servers.enter_context(replay_server(pages, "--unique"))
            for pages in (_MANY_PAGES, _FEW_PAGES, _FEWEST_PAGES)
        }
        filtered = servers.enter_context(replay_server(_FILTERED_PAGES, "--filtered", "--unique"))
        filtered_short = servers.enter_context(replay_server(_FEW_FILTERED_PAGES, "--filtered", "--unique"))
        foreign, missing = _foreign(whole)
        contenders = {
            contender.name: contender
            for contender in (*_on_whole_pages(whole), *foreign, *_on_filtered_pages(filtered, filtered_short))
        }
        for contender in contenders.values():
            contender.check()
        rates = in_turns({name: contender.rate for name, contender in contenders.items()}, _ROUNDS)
    return [*_rate_figures(rates), *missing, *_lead_figures(rates)]


def _on_whole_pages(urls: Mapping[int, str]) -> Iterator[Contender]:
    """Every row comes over the wire, for all alike: what decoding and classifying cost."""
    many, few = urls[_MANY_PAGES], urls[_FEW_PAGES]
    yield from _in_every_format(many, _MANY_PAGES, "")
    yield Contender("paginator", peer("paginator", few), _FEW_PAGES, _read_peer)
    yield from _in_every_format(few, _FEW_PAGES, _ON_FEW_PAGES)
    yield Contender("table_scan", peer("table_scan", few), _FEW_PAGES, _read_peer)
    yield Contender("floor", peer("floor", many), _MANY_PAGES, _read_peer)


def _in_every_format(url: str, pages: int, where: str) -> Iterator[Contender]:
    rows = pages * ROWS_PER_PAGE
    readers = {"json": _read_report, "ndjson": _read_stream, "csv": lambda printed: (rows, _count_csv_rows(printed))}
    for form in _FORMATS:
        yield Contender(f"janitor {form}{where}", _janitor(url, form), pages, readers[form])


def _foreign(urls: Mapping[int, str]) -> tuple[list[Contender], list[Figure]]:
    """Give the contenders that need an environment of their own, and a line for each that cannot be had here."""
    programs = foreign_bin()
    if isinstance(programs, str):
        return [], [Figure("aws_cli and jq, parallel_scan", f"left out: {programs}")]
    command = peer("parallel_scan", urls[_FEW_PAGES])
    found = [Contender("parallel_scan", command, _FEW_PAGES, _read_peer, str(programs / "python"))]
    if shutil.which("jq") is None:
        return found, [Figure("aws_cli and jq", "left out: there is no jq here")]
    script = (str(_AWS_CLI), str(programs / "aws"), urls[_FEWEST_PAGES], TABLE)
    return [*found, Contender("aws_cli and jq", script, _FEWEST_PAGES, _read_peer, _SHELL)], []


def _on_filtered_pages(url: str, short_url: str) -> Iterator[Contender]:
    """The server keeps active rows to itself, as DynamoDB does when it is asked to; they count as looked at."""
    yield Contender("janitor json, filtered", _janitor(url, "json"), _FILTERED_PAGES, _read_report)
    yield Contender("paginator, filtered", peer("paginator", short_url, "--filtered"), _FEW_FILTERED_PAGES, _read_peer)


def _janitor(url: str, form: str) -> tuple[str, ...]:
    return janitor_scan(url, "--segments", "1", "--format", form)


def _rate_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    for name, values in rates.items():
        yield Figure(f"{name}, rows a CPU second", f"{statistics.median(values):,.0f}")


def _lead_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    for form in _FORMATS:
        yield lead(f"janitor {form}", "paginator", rates, _LEADS_OVER_PAGINATOR[form])
        yield lead(f"janitor {form}{_ON_FEW_PAGES}", "paginator", rates, _LEAD_ON_FEW_PAGES)
    for theirs, goal in _GOALS.items():
        for ours in ("janitor json", "janitor ndjson"):
            if theirs in rates:
                yield lead(ours, theirs, rates, goal)
    yield lead("janitor ndjson", "janitor json", rates, _LEAST_OF_ANOTHER_FORMAT)
    yield lead("janitor csv", "janitor ndjson", rates, _LEAST_OF_ANOTHER_FORMAT)
    yield lead("janitor json, filtered", "paginator, filtered", rates, None)


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


def _count_csv_rows(printed: bytes) -> int:
    """Count the findings of janitor's csv, which has a line of names before them and no counts."""
    return printed.count(b"\r\n") - 1
