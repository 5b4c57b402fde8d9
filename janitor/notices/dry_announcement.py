"""The end of a dry run for those who would hear of a real one: it says who, and tells and remembers nothing."""

from collections.abc import Collection

from janitor.notices.channel import WHERE, Channel
from janitor.notices.content import is_news
from janitor.notices.digest_content import digest_content
from janitor.notices.notice import Event, Notice
from janitor.report.model import Remark, Report
from janitor.tokens.words import counted, list_some

# How many owners are named.
_MOST_NAMED = 10
# Where the remarks of guards come from.
_GUARD = "guard"


def who_would_be_told(
    channel: Channel, report: Report, in_digest: Collection[Notice], for_owners: Collection[Notice]
) -> list[Remark]:
    """Who hears of a real run, where anybody does.

    Args:
        channel: who is told.
        report: of the dry run.
        in_digest: the notices of the digest.
        for_owners: those that owners would get.
    """
    arn = channel.arn
    if arn is None:
        return []
    content = digest_content(report, in_digest, channel.pointer)
    said = []
    # What a real run deletes is news too.
    is_worth_telling = is_news(content) or report.deletion.planned > 0
    if channel.digest == "always" or (channel.digest == "news" and is_worth_telling):
        said.append(f"a digest, with {counted(len(in_digest), 'notice')}")
    if channel.per_token and len(for_owners):
        said.append(_owners(for_owners))
    what = f"{arn} would get {' and '.join(said)}" if said else f"{arn} would get nothing"
    message = f"a dry run tells nobody and remembers nothing: {what}"
    return [Remark(where=WHERE, code="dry-run", message=message)]


def _owners(notices: Collection[Notice]) -> str:
    """How many messages there are, to whom, most urgent first, and how many of them tell of a deletion."""
    owners: dict[str, None] = {}
    deletions = 0
    for notice in notices:
        owners.setdefault(notice.owner or "nobody known")
        deletions += notice.event is Event.DELETED
    of_deletions = f" ({counted(deletions, 'deletion')} among them)" if deletions else ""
    return f"{counted(len(notices), 'message')}{of_deletions} to {list_some(list(owners), _MOST_NAMED)}"
