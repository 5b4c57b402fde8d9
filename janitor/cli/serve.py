"""`janitor serve`: keep running, and run every schedule file of a folder on its cron line."""

import os
import sys
from pathlib import Path

import click

from janitor.cli.options import takes
from janitor.errors import ConfigurationError
from janitor.settings.output import LogSettings
from janitor.settings.serve import ServeSettings
from janitor.settings.setting import flag, variable


@click.command("serve", short_help="Keep running: every schedule file on its cron line.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@takes(ServeSettings, LogSettings)
def command(serve: ServeSettings, logs: LogSettings, folder: Path) -> int:
    """Keep running, and execute each schedule file (*.toml) of a folder whenever its cron line fires.

    \b
    Examples:
      janitor serve schedules/
      janitor serve /etc/janitor --listen 0.0.0.0:8080 --state-dir /var/lib/janitor

    Files that are added, changed or removed take effect within seconds, or at once on SIGHUP. A file that is not valid
    is reported, and does not run until it is corrected. Each run is a process of its own, with the daemon's
    environment. SIGTERM ends runs and daemon within 10 seconds.

    Over HTTP there is a page of all jobs (/), the same as JSON (/api/runs), each job's last report, /metrics for
    Prometheus, and /healthz and /readyz. Nothing can be started over HTTP.
    """
    from janitor.serve.signals import ignore_hangups

    # Before anything else, because what follows takes a while.
    with ignore_hangups():
        _serve(serve, logs, folder)
    return 0


def _serve(serve: ServeSettings, logs: LogSettings, folder: Path) -> None:
    from janitor.logs import start_logging, unbind
    from janitor.wiring.places import find_state_directory

    try:
        from janitor.serve.daemon import DaemonSettings
        from janitor.serve.daemon import serve as serve_plan
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        sentence = f"`janitor serve` needs {error.name}, which is not installed"
        raise ConfigurationError(sentence, "pip install 'token-janitor[serve]'", "extra") from None
    start_logging(logs)
    # The log lines of a run have its id and job; the daemon's own lines belong to no run.
    unbind("run_id", "job")
    given = {"log_format": logs.log_format, "log_level": logs.log_level}
    options = [text for name, value in given.items() if value for text in (flag(name), value)]
    environment = dict(os.environ)
    if serve.dry_run:
        # The runs hear the flag; the daemon looks up what they will do as for the variable.
        options.append(flag("dry_run"))
        environment[variable("dry_run")] = "1"
    plan = DaemonSettings(
        folder=folder,
        listen=serve.listen,
        state=serve.state_dir or find_state_directory("--state-dir") / "serve",
        environment=environment,
        max_runs=serve.max_runs,
        options=options,
    )
    serve_plan(plan, _print_address)


def _print_address(address: str) -> None:
    # On a terminal only warnings are logged.
    if sys.stderr.isatty():
        click.echo(f"janitor: the page is {address}; Ctrl-C ends the daemon and its runs", err=True)
