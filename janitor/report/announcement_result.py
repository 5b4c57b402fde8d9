"""What came of announcing a run. By itself, so that a run which announces nothing imports nothing of that."""

import msgspec

from janitor.report.model import Remark


class AnnouncementResult(msgspec.Struct):
    """What was published for all tables together, and what went wrong with it."""

    digests: int = 0
    warnings: list[Remark] = msgspec.field(default_factory=list)
    errors: list[Remark] = msgspec.field(default_factory=list)
