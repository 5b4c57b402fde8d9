"""`janitor merge`: one report out of several shards' reports."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.config.merge import MERGE_GROUPS, MergeCommand


@click.command("merge")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@takes(*MERGE_GROUPS)
def command(*groups: Any, files: tuple[str, ...]) -> int:
    """Make one report of the reports of a run's shards (--shard), as a run of the whole table would have made it.

    Each FILE is the json or ndjson report of a shard, in gzip or not: a path, s3://BUCKET/KEY, or - for standard input.
    Counts are added up, findings put in order anew. A shard that is missing is named, and the exit code is 1. With a
    topic the digest of the whole is published, of what no run has announced yet. No table is read.

    \b
    Examples:
      janitor merge shard-*.json
      janitor merge shard-*.ndjson.gz --format html > report.html
      janitor merge s3://our-reports/0.json s3://our-reports/1.json --fail-on expiring
      janitor merge shard-*.json --sns-topic-arn arn:aws:sns:us-east-1:123456789012:tokens
    """
    from janitor.cli.wiring.merge import merged_files

    return merged_files(files, MergeCommand(*groups))
