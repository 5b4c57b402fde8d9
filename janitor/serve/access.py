"""Whether each job's table can be reached: credentials, region, permission and table in one question."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from janitor import __version__
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.locate import TableChoice, locate
from janitor.errors import JanitorError
from janitor.serve.jobs import TableOfJob

# A probe asks every few seconds; AWS is asked no more often than this.
_FRESH_SECONDS = 60.0
# A probe that waits longer than a second for its answer gives up (Kubernetes' default).
_PATIENCE_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a table can be reached; `why` not, None where it can or was not asked yet."""

    table: TableOfJob
    is_reached: bool
    why: str | None


class Access:
    """Asks AWS for the tables, in the background, and remembers the answers for a minute. Threads share it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing was asked yet.

        Args:
            environment: the variables that the runs will see.
        """
        self._environment = environment
        self._changed = threading.Condition()
        self._answers: dict[TableOfJob, Reach] = {}
        self._asked: tuple[TableOfJob, ...] = ()
        self._asked_at: float | None = None
        self._is_asking = False

    def check(self, tables: Iterable[TableOfJob]) -> list[Reach]:
        """What is known of these tables. Soon back: AWS is asked in the background where that is due."""
        wanted = tuple(dict.fromkeys(tables))
        with self._changed:
            if self._is_due(wanted) and not self._is_asking:
                self._is_asking = True
                # A daemon thread: an answer that does not come keeps nobody from ending.
                threading.Thread(target=self._ask, args=(wanted,), name="access", daemon=True).start()
            self._changed.wait_for(
                lambda: not self._is_asking or all(table in self._answers for table in wanted), _PATIENCE_SECONDS
            )
            return [self._answers.get(table, Reach(table, is_reached=False, why="not asked yet")) for table in wanted]

    def _is_due(self, wanted: tuple[TableOfJob, ...]) -> bool:
        is_fresh = self._asked_at is not None and time.monotonic() - self._asked_at < _FRESH_SECONDS
        return bool(wanted) and (wanted != self._asked or not is_fresh)

    def _ask(self, tables: tuple[TableOfJob, ...]) -> None:
        try:
            for table in tables:
                answer = self._reach(table)
                with self._changed:
                    self._answers[table] = answer
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._answers = {table: answer for table, answer in self._answers.items() if table in tables}
                self._asked, self._asked_at = tables, time.monotonic()
                self._is_asking = False
                self._changed.notify_all()

    def _reach(self, table: TableOfJob) -> Reach:
        connection = Connection(
            region=table.region,
            profile=table.profile,
            role_arn=table.role_arn,
            endpoint_url=table.endpoint_url,
            environment=self._environment,
            version=__version__,
        )
        choice = TableChoice(table=table.table, deployment=table.deployment, ssm_parameter=table.ssm_parameter)
        if choice == TableChoice():
            return Reach(table, is_reached=False, why="the file names no table, and no variable does")
        try:
            locate(Aws(connection), choice, None, time.time)
        except JanitorError as error:
            return Reach(table, is_reached=False, why=str(error))
        return Reach(table, is_reached=True, why=None)
