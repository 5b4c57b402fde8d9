"""Makes the look-up of when owners were last seen, which --last-seen asks for."""

from janitor.dynamodb.locate import read_parameter
from janitor.dynamodb.usage_table import UsageTable
from janitor.errors import ConfigurationError
from janitor.run.last_seen import LastSeenLookup
from janitor.settings.output import LastSeenSettings
from janitor.stopping import Stop
from janitor.wiring.open_table import OpenTable


def check_last_seen(settings: LastSeenSettings) -> None:
    """Check that no setting lacks another.

    Raises:
        ConfigurationError: one does.
    """
    if settings.last_seen is None and settings.is_chosen("idle_after"):
        raise ConfigurationError("--idle-after says nothing without --last-seen", "give --last-seen too")


def make_last_seen(settings: LastSeenSettings, opened: OpenTable, now: int, stop: Stop) -> LastSeenLookup | None:
    """Make the look-up, with the table's session and read budget; None if nobody asks for it.

    Args:
        settings: which usage table.
        opened: the token table.
        now: the UNIX second at which its rows are judged.
        stop: says whether the run was asked to stop.

    Raises:
        AwsError: the parameter that names the usage table could not be read; `ssm:GetParameter` may be missing.
    """
    name = settings.last_seen
    if name is None:
        return None
    if name.startswith("/"):
        name = read_parameter(opened.aws, name)
    table = UsageTable(opened.aws.dynamodb, name, opened.budgets.reads, stop.pause)
    return LastSeenLookup(
        table.read, count_read_units=lambda: table.read_units, now=now, idle_after=settings.idle_after, stop=stop
    )
