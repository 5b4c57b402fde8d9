"""Probe whether each job's table can be reached: credentials, region, permission and table in one request.

Each table is probed in a background thread, with one attempt and short timeouts, so that a table that does not answer
delays no other. Results expire: a table that answered some minutes ago and not since counts as unreachable.
"""

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from botocore.config import Config

from janitor import __version__
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.dynamodb.locate import TableChoice, locate_table
from janitor.errors import ConfigurationError, JanitorError
from janitor.logs import get_logger
from janitor.serve.jobs import ScheduledTable

log = get_logger("janitor.serve")

# Readiness probes come every few seconds; AWS is asked for a table no more often than this.
_FRESH_SECONDS = 30.0
# An older answer counts for nothing: the next is long overdue.
_STALE_SECONDS = 180.0
# Kubernetes' readiness probe gives up after a second by default.
_WAIT_SECONDS = 0.7
_MAX_THREADS = 8
# Fail fast; timeouts in seconds.
_FAIL_FAST = Config(connect_timeout=3, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 1})

LocateTable = Callable[[ScheduledTable], str]
"""Locates a table: returns a text that is equal for settings that lead to the same table; raises JanitorError."""


@dataclass(frozen=True, slots=True)
class TableStatus:
    """Whether a table can be reached; `why` it cannot, None if it can."""

    table: ScheduledTable
    is_reachable: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class _ProbeResult:
    """The result of a probe: when it came, by the monotonic clock, and why it failed."""

    at: float
    why: str | None


class TableProbes:
    """Probes tables in the background, and keeps the answers for a while. Threads share it."""

    def __init__(self, locate_table: LocateTable, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is asked yet.

        Args:
            locate_table: locates a table; threads share it.
            clock: a monotonic clock, in seconds.
        """
        self._locate_table = locate_table
        self._clock = clock
        self._changed = threading.Condition()
        self._answers: dict[ScheduledTable, _ProbeResult] = {}
        self._located: dict[ScheduledTable, str] = {}
        self._under_way: set[ScheduledTable] = set()
        self._waiting: deque[ScheduledTable] = deque()
        self._threads = 0
        self._is_closed = False

    def watch(self, tables: Iterable[ScheduledTable]) -> None:
        """Probe these tables if a probe is due, without waiting for answers, and forget all others."""
        wanted = frozenset(tables)
        with self._changed:
            self._answers = {table: answer for table, answer in self._answers.items() if table in wanted}
            self._located = {table: key for table, key in self._located.items() if table in wanted}
            self._ask(wanted)

    def check(self, tables: Iterable[ScheduledTable], wait_seconds: float = _WAIT_SECONDS) -> list[TableStatus]:
        """Return what is known of these tables, and probe in the background those that are due.

        Args:
            tables: the tables.
            wait_seconds: how long to wait for answers that are missing.
        """
        wanted = tuple(dict.fromkeys(tables))
        with self._changed:
            self._ask(wanted)
            self._changed.wait_for(lambda: self._is_closed or all(map(self._has_answer, wanted)), wait_seconds)
            return [self._status(table) for table in wanted]

    def lock_keys(self, tables: Iterable[ScheduledTable]) -> frozenset[str]:
        """Return the keys that no two runs may hold at once: each table as it is named, and as it was located."""
        wanted = tuple(tables)
        with self._changed:
            located = frozenset(self._located[table] for table in wanted if table in self._located)
        return located | {table.key for table in wanted}

    def close(self) -> None:
        """End all waiting."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _ask(self, wanted: Iterable[ScheduledTable]) -> None:
        for table in wanted:
            if table in self._under_way or self._age(table) < _FRESH_SECONDS:
                continue
            self._under_way.add(table)
            self._waiting.append(table)
            if self._threads < _MAX_THREADS:
                self._threads += 1
                # A daemon thread: a missing answer does not keep the program from ending.
                threading.Thread(target=self._work, name="table-probe", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._threads -= 1
                    return
                table = self._waiting.popleft()
            key, why = self._probe(table)
            with self._changed:
                self._answers[table] = _ProbeResult(self._clock(), why)
                if key is not None:
                    self._located[table] = key
                self._under_way.discard(table)
                self._changed.notify_all()

    def _probe(self, table: ScheduledTable) -> tuple[str | None, str | None]:
        try:
            return self._locate_table(table), None
        except JanitorError as error:
            return None, str(error)
        except Exception as error:
            # A bug of ours must not end the thread: its table would never get an answer.
            log.exception("table.not_located")
            return None, f"it cannot be located: {type(error).__name__}"

    def _age(self, table: ScheduledTable) -> float:
        answer = self._answers.get(table)
        return float("inf") if answer is None else self._clock() - answer.at

    def _has_answer(self, table: ScheduledTable) -> bool:
        return self._age(table) <= _STALE_SECONDS

    def _status(self, table: ScheduledTable) -> TableStatus:
        answer, age = self._answers.get(table), self._age(table)
        if answer is None:
            return TableStatus(table, is_reachable=False, why="no answer yet")
        if age > _STALE_SECONDS:
            since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)
            return TableStatus(table, is_reachable=False, why=f"no answer since {since:%Y-%m-%d %H:%M} UTC")
        return TableStatus(table, is_reachable=answer.why is None, why=answer.why)


def make_table_locator(environment: Mapping[str, str]) -> LocateTable:
    """Make the function that locates a table in AWS, with one attempt of a few seconds per request.

    Every probe opens a session of its own, because credentials and profiles change. The models of AWS's services do
    not, so all sessions share those that the first has read: they take several megabytes and a fifth of a second.

    Args:
        environment: the environment variables of the runs.
    """
    first: list[AwsSession] = []
    opening = threading.Lock()

    def open_session(access: AwsAccess) -> AwsSession:
        with opening:
            if first:
                return _FailFastSession(access, models_of=first[0])
            session = _FailFastSession(access)
            _ = session.dynamodb  # reads the models, once for all
            first.append(session)
        return session

    def locate(table: ScheduledTable) -> str:
        choice = TableChoice(table=table.table, deployment=table.deployment, ssm_parameter=table.ssm_parameter)
        if choice == TableChoice():
            raise ConfigurationError("the file names no table, and no variable does")
        access = AwsAccess(
            region=table.region,
            profile=table.profile,
            role_arn=table.role_arn,
            endpoint_url=table.endpoint_url,
            environment=environment,
            version=__version__,
        )
        found = locate_table(open_session(access), choice, None, time.time)
        return "|".join(("located", found.name, found.region, found.account_id or ""))

    return locate


class _FailFastSession(AwsSession):
    """Clients that fail rather than wait: a run has time, a probe has not."""

    def _config(self) -> Config:
        return super()._config().merge(_FAIL_FAST)
