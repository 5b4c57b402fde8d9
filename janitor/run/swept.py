"""What came of a sweep, or of a run that is none."""

import msgspec

from janitor.report.model import Deletion, Remark


class Swept(msgspec.Struct):
    """What came of a sweep: the report's part, what to remark, and how many rows no report has a line of."""

    deletion: Deletion = msgspec.field(default_factory=Deletion)
    errors: list[Remark] = msgspec.field(default_factory=list)
    warnings: list[Remark] = msgspec.field(default_factory=list)
    is_refused: bool = False
    untold: int = 0
