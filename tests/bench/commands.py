"""The measured commands, as a user would type them behind `python`."""

TABLE = "bench"


def janitor_scan(url: str, *options: str) -> tuple[str, ...]:
    """Give the command that scans the table at `url`."""
    return ("-m", "janitor", "scan", "--table", TABLE, "--endpoint-url", url, "--region", "us-east-1", *options)


def peer(name: str, url: str, *options: str) -> tuple[str, ...]:
    """Give the command of a peer, a module of tests/bench/peers/."""
    return ("-m", f"tests.bench.peers.{name}", "--endpoint-url", url, "--table", TABLE, *options)
