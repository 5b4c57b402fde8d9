"""What every peer is told and what it says."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TypeVar

REGION = "us-east-1"
"""Any will do: the endpoint decides."""

_Work = TypeVar("_Work")


def parser(name: str) -> argparse.ArgumentParser:
    """Make the command line that peer `name` has: which table, and where."""
    arguments = argparse.ArgumentParser(prog=f"python -m tests.bench.peers.{name}")
    arguments.add_argument("--endpoint-url", required=True)
    arguments.add_argument("--table", required=True)
    return arguments


def tell(counts: Counter[str], *, rows: int) -> None:
    """Print the outcome as one JSON line; `cpu_seconds` is of the whole process, imports included."""
    findings = counts.total() - counts["active"]
    print(json.dumps({"rows": rows, "findings": findings, "cpu_seconds": round(time.process_time(), 3)}))


def deleting(name: str) -> argparse.ArgumentParser:
    """Make the command line of a peer that deletes: how many rows besides, and from how many threads."""
    arguments = parser(name)
    arguments.add_argument("--rows", type=int, required=True)
    arguments.add_argument("--threads", type=int, default=1)
    return arguments


def keys(rows: int) -> list[str]:
    """Make as many keys as a hashed table's look like."""
    return [sha256(str(number).encode()).hexdigest() for number in range(rows)]


def in_threads(do: Callable[[_Work], None], work: Iterable[_Work], threads: int) -> None:
    """Do all the work, from so many threads; the first error ends the program."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(do, work):
            pass


def tell_deleted(rows: int, seconds: float) -> None:
    """Print the outcome as one JSON line; `seconds` are those of the deletes alone, without the start."""
    print(json.dumps({"deleted": rows, "seconds": round(seconds, 3)}))
