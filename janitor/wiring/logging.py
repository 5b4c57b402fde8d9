"""Sets up the logs of a command, from its settings."""

import os
import sys
import uuid

from janitor.logs import bind, configure
from janitor.settings.output import JOB_VARIABLE, LogSettings


def start_logging(settings: LogSettings) -> str:
    """Configure logging, and return the run's id, which every log line carries together with the job's name, if any."""
    form, level = ("console", "warning") if sys.stderr.isatty() else ("json", "info")
    configure(level=settings.log_level or level, format_name=settings.log_format or form)
    run_id = uuid.uuid4().hex[:16]
    # Set by `janitor serve` for the runs that it starts.
    job = os.environ.get(JOB_VARIABLE)
    bind(run_id=run_id, **({"job": job} if job else {}))
    return run_id
