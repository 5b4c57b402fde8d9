"""The measured commands, as a user would type them behind `python`."""

from pathlib import Path

TABLE = "bench"


def janitor_scan(url: str, *options: str) -> tuple[str, ...]:
    """Give the command that scans the table at `url`, in one process unless `options` say otherwise."""
    where = ("--table", TABLE, "--endpoint-url", url, "--region", "us-east-1")
    alone = () if "--workers" in options else ("--workers", "1")
    return ("-m", "janitor", "scan", *where, *alone, *options)


def janitor_sweep(url: str, archive: Path, *options: str) -> tuple[str, ...]:
    """Give the command that deletes every stale row of the table at `url`, archived in a folder."""
    where = ("--table", TABLE, "--endpoint-url", url, "--region", "us-east-1", "--archive", str(archive))
    limits = ("--max-deletes", "1000000000", "--max-delete-percent", "100", "--workers", "1")
    return ("-m", "janitor", "sweep", "--delete", "--yes", *where, *limits, *options)


def peer(name: str, url: str, *options: str) -> tuple[str, ...]:
    """Give the command of a peer, a module of tests/bench/peers/."""
    return ("-m", f"tests.bench.peers.{name}", "--endpoint-url", url, "--table", TABLE, *options)
