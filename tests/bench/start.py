"""What a run costs before its first row: a scan of a small table, beside a plain boto3 script that does the same."""

import json
import statistics
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.commands import TABLE, janitor_scan
from tests.bench.figures import Figure, at_most, in_turns
from tests.bench.local_table import fill_table, local_table
from tests.bench.processes import CommandFailedError, measure, output_of
from tests.dynamodb_local import cache_folder, find
from tests.servers import ministack

_ROWS = 20
_FINDING_EVERY = 2
_PAIRS = 21
_ROUNDS = 11
_GOAL = 1.15
_OURS, _THEIRS = "janitor scan", "boto3 script"
# ministack wants the header's shape, and checks no signature.
_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/sns/aws4_request, SignedHeaders=, Signature="


def run() -> list[Figure]:
    """Measure both in every round, and what a scan costs that also announces, remembers and writes metrics."""
    return [*_compare_with_the_script(), *_measure_extras()]


def _compare_with_the_script() -> list[Figure]:
    """Without DynamoDB Local, say why there is no figure."""
    installation = find(cache_folder())
    if isinstance(installation, str):
        return [Figure(f"{_OURS} / {_THEIRS}, CPU", f"not measured: {installation}", f"<= {_GOAL:.2f}")]
    with local_table(installation, _ROWS, finding_every=_FINDING_EVERY) as url:
        commands = {_OURS: janitor_scan(url), _THEIRS: ("-m", "tests.bench.peers.script", url, TABLE)}
        # Also the run that fills Python's byte-code cache.
        _see_that_they_agree(commands)
        seconds = in_turns({name: partial(_cpu_seconds, command) for name, command in commands.items()}, _PAIRS)
    ratios = [ours / theirs for ours, theirs in zip(seconds[_OURS], seconds[_THEIRS], strict=True)]
    return [
        *(Figure(f"{name} of {_ROWS} rows, CPU", f"{statistics.median(seconds[name]):.3f} s") for name in commands),
        Figure("lowest and highest of the pairs' ratios", f"{min(ratios):.2f} to {max(ratios):.2f}"),
        at_most(f"{_OURS} / {_THEIRS}, CPU, median of {_PAIRS} pairs", statistics.median(ratios), _GOAL, form="{:.2f}"),
    ]


def _measure_extras() -> Iterator[Figure]:
    """What a topic, a state store and a Prometheus file add to a scan: each alone, and all three."""
    with ministack() as url, tempfile.TemporaryDirectory() as folder:
        fill_table(url, _ROWS, finding_every=_FINDING_EVERY)
        extras = {
            "a topic": ("--sns-topic-arn", _create_topic(url), "--state-url", f"sqlite:///{folder}/topic.sqlite3"),
            "a state store": ("--state-url", f"sqlite:///{folder}/state.sqlite3"),
            "a Prometheus file": ("--metrics", f"prometheus={Path(folder) / 'janitor.prom'}"),
        }
        extras["all three"] = (*extras["a topic"], *extras["a Prometheus file"])
        commands = {"nothing": janitor_scan(url)} | {
            name: janitor_scan(url, *options) for name, options in extras.items()
        }
        for command in commands.values():
            output_of(command)
        seconds = in_turns({name: partial(_cpu_seconds, command) for name, command in commands.items()}, _ROUNDS)
    for name in extras:
        ratios = [more / plain for more, plain in zip(seconds[name], seconds["nothing"], strict=True)]
        median, least, most = statistics.median(ratios), min(ratios), max(ratios)
        yield Figure(f"{_OURS} with {name} / without, CPU", f"{median:.2f} ({least:.2f} to {most:.2f})")


def _create_topic(url: str) -> str:
    """Create a topic on the server at this URL; return its ARN."""
    form = urllib.parse.urlencode({"Action": "CreateTopic", "Name": "bench", "Version": "2010-03-31"}).encode()
    request = urllib.request.Request(url, form, {"Authorization": _AUTHORIZATION})  # noqa: S310  # loopback
    with urllib.request.urlopen(request) as response:  # noqa: S310  # loopback
        answer: str = response.read().decode()
    return answer.partition("<TopicArn>")[2].partition("</TopicArn>")[0]


def _see_that_they_agree(commands: dict[str, tuple[str, ...]]) -> None:
    ours, theirs = (json.loads(output_of(commands[name])) for name in (_OURS, _THEIRS))
    counted = {state: count for state, count in ours["counts"].items() if count and state != "scanned"}
    if counted != theirs["counts"] or len(ours["findings"]) != len(theirs["findings"]):
        raise CommandFailedError(f"start: janitor counts {counted}, and the script {theirs['counts']}")


def _cpu_seconds(command: tuple[str, ...]) -> float:
    return measure(command).cpu_seconds
