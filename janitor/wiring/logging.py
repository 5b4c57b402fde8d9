"""The logs of a run."""

import os
import sys
import uuid

from janitor.logs import bind, configure
from janitor.settings.output import JOB_VARIABLE, LogSettings


def start_logging(settings: LogSettings) -> str:
    """Set the logs up and give every line of this run its id, which is returned, and its job where it has one."""
    form, level = ("console", "warning") if sys.stderr.isatty() else ("json", "info")
    configure(level=settings.log_level or level, format_name=settings.log_format or form)
    run_id = uuid.uuid4().hex[:16]
    # Of a run that `janitor serve` started.
    job = os.environ.get(JOB_VARIABLE)
    bind(run_id=run_id, **({"job": job} if job else {}))
    return run_id
