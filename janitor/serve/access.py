"""Whether each job's table can be reached, and which it is: credentials, region, permission and table in one question.

Each table is asked for in a thread, once and not for long, so that one whose answer does not come holds up no other.
An answer has an age: what was reached some minutes ago, and has not answered since, is not reached.
"""

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from botocore.config import Config

from janitor import __version__
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.locate import TableChoice, locate
from janitor.errors import ConfigurationError, JanitorError
from janitor.logs import get_logger
from janitor.serve.jobs import TableOfJob

log = get_logger("janitor.serve")

# A probe asks every few seconds; AWS is asked for a table no more often than this.
_FRESH_SECONDS = 30.0
# An answer that is older stands for nothing: the next is long overdue.
_STALE_SECONDS = 180.0
# A probe that waits longer than a second for its answer gives up (Kubernetes' default).
_PATIENCE_SECONDS = 0.7
_MOST_THREADS = 8
# Timeouts in seconds.
_BRIEF = Config(connect_timeout=3, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 1})

Find = Callable[[TableOfJob], str]
"""Finds a table: returns what is equal for settings that lead to the same one, raises a JanitorError where it fails."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a table can be reached; `why` not, None where it can."""

    table: TableOfJob
    is_reached: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of asking, and when by the clock that nobody sets."""

    at: float
    why: str | None


class Access:
    """Asks AWS for the tables, in the background, and remembers the answers for a while. Threads share it."""

    def __init__(self, find: Find, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was asked yet.

        Args:
            find: finds a table; threads share it.
            clock: seconds of a clock that nobody sets.
        """
        self._find = find
        self._clock = clock
        self._changed = threading.Condition()
        self._answers: dict[TableOfJob, _Answer] = {}
        self._located: dict[TableOfJob, str] = {}
        self._under_way: set[TableOfJob] = set()
        self._waiting: deque[TableOfJob] = deque()
        self._threads = 0
        self._is_closed = False

    def expect(self, tables: Iterable[TableOfJob]) -> None:
        """Ask for these where that is due, without waiting for answers, and forget all others."""
        wanted = frozenset(tables)
        with self._changed:
            self._answers = {table: answer for table, answer in self._answers.items() if table in wanted}
            self._located = {table: key for table, key in self._located.items() if table in wanted}
            self._ask(wanted)

    def check(self, tables: Iterable[TableOfJob], patience: float = _PATIENCE_SECONDS) -> list[Reach]:
        """What is known of these tables; AWS is asked in the background where that is due.

        Args:
            tables: the tables.
            patience: for how many seconds to wait for answers where there are none.
        """
        wanted = tuple(dict.fromkeys(tables))
        with self._changed:
            self._ask(wanted)
            self._changed.wait_for(lambda: self._is_closed or all(map(self._has_answer, wanted)), patience)
            return [self._reach(table) for table in wanted]

    def keys(self, tables: Iterable[TableOfJob]) -> frozenset[str]:
        """What no two runs of these tables are at work on at once: each as it is named, and as it was located."""
        wanted = tuple(tables)
        with self._changed:
            located = frozenset(self._located[table] for table in wanted if table in self._located)
        return located | {table.key for table in wanted}

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _ask(self, wanted: Iterable[TableOfJob]) -> None:
        for table in wanted:
            if table in self._under_way or self._age(table) < _FRESH_SECONDS:
                continue
            self._under_way.add(table)
            self._waiting.append(table)
            if self._threads < _MOST_THREADS:
                self._threads += 1
                # A daemon thread: an answer that does not come keeps nobody from ending.
                threading.Thread(target=self._work, name="access", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._threads -= 1
                    return
                table = self._waiting.popleft()
            key, why = self._answer(table)
            with self._changed:
                self._answers[table] = _Answer(self._clock(), why)
                if key is not None:
                    self._located[table] = key
                self._under_way.discard(table)
                self._changed.notify_all()

    def _answer(self, table: TableOfJob) -> tuple[str | None, str | None]:
        try:
            return self._find(table), None
        except JanitorError as error:
            return None, str(error)
        except Exception as error:
            # A fault of ours: a thread that ended by it would never answer.
            log.exception("table.not_located")
            return None, f"it cannot be looked for: {type(error).__name__}"

    def _age(self, table: TableOfJob) -> float:
        answer = self._answers.get(table)
        return float("inf") if answer is None else self._clock() - answer.at

    def _has_answer(self, table: TableOfJob) -> bool:
        return self._age(table) <= _STALE_SECONDS

    def _reach(self, table: TableOfJob) -> Reach:
        answer, age = self._answers.get(table), self._age(table)
        if answer is None:
            return Reach(table, is_reached=False, why="no answer yet")
        if age > _STALE_SECONDS:
            since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)
            return Reach(table, is_reached=False, why=f"no answer since {since:%Y-%m-%d %H:%M} UTC")
        return Reach(table, is_reached=answer.why is None, why=answer.why)


def finder(environment: Mapping[str, str]) -> Find:
    """Finds tables in AWS: one attempt for each request, of a few seconds.

    Args:
        environment: the variables that the runs will see.
    """

    def find(table: TableOfJob) -> str:
        choice = TableChoice(table=table.table, deployment=table.deployment, ssm_parameter=table.ssm_parameter)
        if choice == TableChoice():
            raise ConfigurationError("the file names no table, and no variable does")
        connection = Connection(
            region=table.region,
            profile=table.profile,
            role_arn=table.role_arn,
            endpoint_url=table.endpoint_url,
            environment=environment,
            version=__version__,
        )
        found = locate(_BriefAws(connection), choice, None, time.time)
        return "|".join(("located", found.name, found.region, found.account_id or ""))

    return find


class _BriefAws(Aws):
    """Clients that would rather fail than wait: a run is patient, a probe is not."""

    def _config(self) -> Config:
        return super()._config().merge(_BRIEF)
