"""What came of a sweep, or of a run that is none."""

from dataclasses import dataclass, field

from janitor.report.model import Deletion, Remark


@dataclass(slots=True)
class Swept:
    """What came of a sweep: the report's part, what to remark, and how many rows no report has a line of."""

    deletion: Deletion = field(default_factory=Deletion)
    errors: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    is_refused: bool = False
    untold: int = 0
