"""What every peer is told and what it says."""

import argparse
import json
import time
from collections import Counter

REGION = "us-east-1"
"""Any will do: the endpoint decides."""


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
