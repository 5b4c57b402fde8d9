"""The result of announcing a run. A module of its own, so that a run that announces nothing does not import notices."""

import msgspec

from janitor.report.model import Remark


class AnnouncementResult(msgspec.Struct):
    """What was published about all tables together, and what went wrong."""

    digests: int = 0
    warnings: list[Remark] = msgspec.field(default_factory=list)
    errors: list[Remark] = msgspec.field(default_factory=list)
