"""That a process is at work on a shard: said in the state store, from a thread of its own, until it is done."""

import contextvars
import threading

from janitor.errors import LedgerError
from janitor.logs import get_logger
from janitor.run.shards.sharded_run import ShardedRun

log = get_logger("janitor.shards")

_EVERY_SECONDS = 20.0


class LifeSign:
    """Shows the others that this process is there. What fails of it is logged: others then take it for gone."""

    def __init__(self, run: ShardedRun) -> None:
        """Prepare; nothing is said yet."""
        self._run = run
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin, once."""
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._show,), daemon=True, name="life").start()

    def end(self) -> None:
        """Say no more."""
        self._ended.set()

    def _show(self) -> None:
        while not self._ended.is_set():
            try:
                self._run.show_life()
            except LedgerError as error:
                log.warning("shard.life_not_shown", code=error.code, error=str(error))
            self._ended.wait(_EVERY_SECONDS)
