"""A sweep that is killed outright: what left the table is in the archive, and the next sweep finishes the job."""

import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import started
from tests.examples import how_many
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.forked import ForkedProcess
from tests.servers import Server
from tests.sweeping import archived_keys, arguments_of, key_of, keys_in, living_rows, new_archive, stale_rows
from tests.sweeping import sweep as sweep_to_the_end
from tests.tables import Item, put_rows

STALE, LIVING = 1_200, 60
# A test for each of two servers makes a hundred every night.
MOMENTS = how_many(8, nightly=50)
REQUESTS = STALE // 25
END_SECONDS = 60
OPERATIONS = ("Scan", "BatchExecuteStatement", "GetItem")


@dataclass
class Killer:
    """Kills the process a random while around a random request: before it arrives, or after it was carried out.

    What the dead process still had under way is thrown away, so that the table rests once `rest` returns.
    """

    chance: random.Random
    process: ForkedProcess | None = None
    requests: int = 0
    is_over: bool = False
    under_way: int = 0
    change: threading.Condition = field(default_factory=threading.Condition)

    def aim(self) -> None:
        """Choose the next moment."""
        self.process, self.requests, self.is_over = None, 0, False
        self.request = self.chance.randrange(REQUESTS + 2)
        self.is_after = self.chance.random() < 0.5
        self.seconds = self.chance.uniform(0, 0.02)

    def __call__(self, request: Request, forward: Forward) -> tuple[int, Any]:
        with self.change:
            if self.is_over:
                return 503, {}
            is_it = self.requests == self.request
            self.requests += 1
            self.under_way += 1
        try:
            if is_it and not self.is_after:
                self.kill()
            answer = forward(request)
            if is_it and self.is_after:
                self.kill()
        finally:
            with self.change:
                self.under_way -= 1
                self.change.notify_all()
        return answer

    def kill(self) -> None:
        """Wait for the moment, and kill."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.seconds)
        self.process.kill()

    def rest(self) -> None:
        """Let nothing more through, and wait for what is under way."""
        with self.change:
            self.is_over = True
            assert self.change.wait_for(lambda: self.under_way == 0, END_SECONDS)


@contextmanager
def under_fire(url: str, chance: random.Random) -> Iterator[tuple[str, Killer]]:
    """A proxy before the server that kills whoever asks."""
    killer = Killer(chance)
    with meddling_proxy(url) as (proxy, meddling):
        meddling.by_operation.update(dict.fromkeys(OPERATIONS, killer))
        yield proxy, killer


def put_back(client: DynamoDBClient, table: str, rows: list[Item], present: set[str]) -> None:
    """Make the table hold all of these rows again."""
    put_rows(client, table, [row for row in rows if key_of(row) not in present])


def test_killed_at_many_moments_no_row_is_lost_and_no_other_touched(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(STALE), living_rows(LIVING)
    table = new_table([*stale, *living])
    before = keys_in(client, table)
    must_stay = {key_of(row) for row in living}
    halfway = 0
    with under_fire(server.url, random.Random(server.name)) as (url, killer):
        for moment in range(MOMENTS):
            folder = tmp_path / str(moment)
            folder.mkdir()
            killer.aim()
            with started(*arguments_of(url, table, new_archive(folder)), env={"TMPDIR": str(folder)}) as process:
                killer.process = process
                process.communicate(timeout=END_SECONDS)
            killer.rest()
            after = keys_in(client, table)
            assert must_stay <= after
            assert before - after <= archived_keys(folder)
            halfway += 0 < len(before - after) < STALE
            put_back(client, table, stale, after - must_stay if moment < MOMENTS - 1 else before)
    assert halfway > MOMENTS // 2
    assert sweep_to_the_end(server.url, table, tmp_path).finished.code == 0
    assert keys_in(client, table) == must_stay
