"""What shards of one run tell each other: small records in the state store, for whoever adds one."""

from collections.abc import Sequence
from typing import Protocol

# A record is kept so long after it was last written; no run of shards lasts half as long.
KEEP_SECONDS = 14 * 86_400


class ShardStore(Protocol):
    """Records by name, of one table; each is bytes, at most `interface.LARGEST_CHUNK` of them.

    Every process reads what was written before it asked. Of several that `create` a record, or `replace` the same one,
    at once, one does. Threads may share a store. Every method raises LedgerError where the store cannot be reached,
    read or written; it names the store and the way out.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
    """

    location: str

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those of the records that are there, any number of them."""

    def create(self, name: str, content: bytes) -> bool:
        """Write a record that is not there yet; False where it is, with this content or with another.

        A try whose answer was lost may have written it all the same: whoever is told False reads what stands.
        """

    def put(self, name: str, content: bytes) -> None:
        """Write a record, in the place of the one that is there."""

    def replace(self, name: str, seen: bytes, content: bytes) -> bool:
        """Write a record in the place of one that still is as it was seen; False where it is not."""

    def remove(self, names: Sequence[str]) -> None:
        """Take records away, those that are there."""
