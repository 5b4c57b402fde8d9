"""What the page says of a state beside its colour, and in which order states come."""

from collections.abc import Iterator

from janitor.report.html.markup import Markup, tag
from janitor.report.model import Report
from janitor.report.summary import counts_rows
from janitor.tokens.classify import State

# Most urgent first, as in report.build: what can still be saved, what just broke, what is odd, what is only old.
BY_URGENCY = (
    State.EXPIRING,
    State.EXPIRED,
    State.MALFORMED,
    State.LEGACY,
    State.PERMANENT,
    State.STALE,
    State.ACTIVE,
)

# A sign of its own for each state, so that colour is never the only one. All are in every system's fonts.
SIGNS = {
    State.EXPIRING: "▲",
    State.EXPIRED: "■",
    State.MALFORMED: "✕",
    State.LEGACY: "◆",
    State.PERMANENT: "∞",
    State.STALE: "●",
    State.ACTIVE: "✓",
}


def sign(state: State) -> Markup:
    """The state's sign, which a screen reader leaves out: the state's name stands beside it."""
    return tag("span", SIGNS[state], class_="sign", aria_hidden="true")


def words_of_states(report: Report) -> Iterator[tuple[State, str, str]]:
    """State, rows, and what the state means, for those of the dialect; most urgent first."""
    words = {State(state): (rows, meaning) for state, rows, meaning in counts_rows(report)}
    for state in BY_URGENCY:
        if state in words:
            yield state, *words[state]


def count_of(report: Report, state: State) -> int:
    """How many rows were in the state, listed or not."""
    count: int = getattr(report.counts, state.value)
    return count
