"""The result of announcing a run. A module of its own, so that a run that announces nothing does not import notices."""

import msgspec

from janitor.report.model import DestinationPart, Remark


class AnnouncementResult(msgspec.Struct):
    """What was published about all tables together, to whom, and what went wrong."""

    digests: int = 0
    destinations: list[DestinationPart] = msgspec.field(default_factory=list)
    warnings: list[Remark] = msgspec.field(default_factory=list)
    errors: list[Remark] = msgspec.field(default_factory=list)
