"""python -m tests.bench [NAME …]: measure, and print figures beside their goals; `--help` lists the names.

A goal that is missed says so and is no failure; a command that does not do its work is one.
"""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tests.bench import budget, delete, formats, memory, scale, scan, serve, start, startup, stopping, wire, workers
from tests.bench.figures import Figure, rendered
from tests.bench.processes import CommandFailedError

_BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "startup": startup.run,
    "start": start.run,
    "wire": wire.run,
    "memory": memory.run,
    "scan": scan.run,
    "scale": scale.run,
    "formats": formats.run,
    "serve": serve.run,
    "delete": delete.run,
    "stopping": stopping.run,
    "budget": budget.run,
    "workers": workers.run,
}


def main() -> int:
    """Run the named benches, or all, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="measure janitor beside its peers")
    parser.add_argument("names", nargs="*", metavar="|".join(_BENCHES), help="what to measure (default: all)")
    names = parser.parse_args().names or list(_BENCHES)
    if unknown := [name for name in names if name not in _BENCHES]:
        parser.error(f"no bench is called {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, _leave)
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}")
    outcomes = [_report(name) for name in names]
    return max(outcomes)


def _report(name: str) -> int:
    print(f"\n{name}: {(sys.modules[_BENCHES[name].__module__].__doc__ or '').splitlines()[0]}", flush=True)
    try:
        figures = _BENCHES[name]()
    except CommandFailedError as error:
        print(f"  FAILED  {error}", flush=True)
        return 1
    print(rendered(figures), flush=True)
    return 0


def _leave(*_: object) -> NoReturn:
    """Turn SIGTERM into an exception, so that the servers that were started are ended too."""
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
