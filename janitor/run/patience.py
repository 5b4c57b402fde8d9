"""How long the main thread waits for other processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from janitor.run.stopping import Stop

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for others.

    Attributes:
        seconds: from when the wait begins, or from when those who are waited for were last seen at work.
        until: by `clock`, when the wait ends whatever they do.
        clock: seconds, from any moment on; never set back or forth.
        sleep: sleeps so many seconds.
        stop: who may ask for an early end.
    """

    seconds: float
    until: float
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    stop: Stop

    def pauses(self, are_at_work: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Rounds of a wait, one at least, with a growing pause after each, until the time is over.

        Each gives the seconds that the wait has lasted. `are_at_work`, asked after a round, says whether those who are
        waited for show life.

        Raises:
            StopRequestedError: somebody asked to stop.
        """
        began = self.clock()
        end = began + self.seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            yield self.clock() - began
            if are_at_work():
                end = self.clock() + self.seconds
            left = min(end, self.until) - self.clock()
            if left <= 0:
                return
            with self.stop.waiting():
                self.sleep(min(pause, left))
            pause = min(_LONGEST_PAUSE_SECONDS, pause * _GROWTH)
