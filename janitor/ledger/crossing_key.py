"""How a store names a crossing."""

from janitor.tokens.crossing import Crossing


def key_of(crossing: Crossing) -> str:
    """A text of its own for every crossing. A text, for an expiry may be a number that no column holds."""
    return f"{crossing.fingerprint}/{crossing.expiry}/{crossing.threshold}"
