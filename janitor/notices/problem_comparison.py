"""Compares how a run ended with how the last one did, to decide what its digest says and whether it is published."""

from dataclasses import replace

from janitor.notices.channel import Channel
from janitor.notices.digest_content import DigestContent, is_news
from janitor.notices.run_problem import RunProblem, find_run_problem
from janitor.report.model import Outcome, Report


class ProblemComparison:
    """Compares how this run ended with how the last one did, for the digest."""

    def __init__(self, channel: Channel, report: Report) -> None:
        """Read how the last run ended.

        Args:
            channel: where the digest goes.
            report: the run's report, without what is announced.
        """
        self._channel = channel
        self._memory = channel.problems if channel.topic is not None and channel.digest != "never" else None
        self._problem = find_run_problem(report)
        # How a table is that was left to another run is not known.
        self._saw_all_tables = all(table.outcome is not Outcome.SKIPPED for table in report.tables)
        self._last: RunProblem | None = self._memory.last() if self._memory is not None else None

    def apply_to(self, content: DigestContent) -> DigestContent:
        """Add to the digest whether its problem was published before, or is over."""
        if self._memory is None or self._last is None or (self._problem is None and not self._saw_all_tables):
            return content
        if self._problem is None:
            return replace(content, recovered_from=self._last.sentence if self._last.notified_at else None)
        return replace(content, is_known_problem=self._memory.was_published_recently(self._problem, self._last))

    def wants_digest(self, content: DigestContent) -> bool:
        """Whether the digest is to be published."""
        return self._channel.digest == "always" or (self._channel.digest == "news" and is_news(content))

    def remember(self, *, was_published: bool) -> None:
        """Remember how the run ended, and whether its digest was published."""
        if self._memory is not None and (self._problem is not None or self._saw_all_tables):
            self._memory.remember(self._problem, self._last, was_published=was_published)
