"""What is read in the place of a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from janitor.settings.parsers import S3Prefix, parse_source
from janitor.settings.setting import Settings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings(Settings):
    """What is read in the place of a table."""

    source: Path | S3Prefix | Literal["-"] | None = setting(
        "Read an export to S3 (its folder) or a dump (what `aws dynamodb scan` prints; - for standard input) in the "
        "table's place, which is not touched. Needs --dialect; --table says whose dump it is.",
        metavar="PATH|S3|-",
        parse=parse_source,
    )
