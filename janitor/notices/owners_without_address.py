"""The owners of due tokens, counted and named once in the report: those who get messages, and those without address."""

from msgspec import structs

from janitor.notices.address_book import AddressBook
from janitor.notices.channel import WHERE
from janitor.notices.notice import Notice
from janitor.report.model import MAX_COUNTED_OWNERS, DestinationPart, Remark
from janitor.report.summary import format_owner_count
from janitor.tokens.words import list_some

_MAX_NAMED = 10


class _DistinctOwners:
    """Counts owners, each once, up to `MAX_COUNTED_OWNERS`, so that memory does not grow with them; names the first."""

    def __init__(self) -> None:
        self._owners: set[str] = set()
        self.first_names: list[str] = []

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, owner: str) -> None:
        """Count the owner, unless it was counted before."""
        if owner in self._owners or len(self._owners) == MAX_COUNTED_OWNERS:
            return
        self._owners.add(owner)
        if len(self.first_names) < _MAX_NAMED:
            self.first_names.append(owner)


class OwnerCount:
    """Counts messages, and the owners who get them, the first ten by name."""

    def __init__(self) -> None:
        self._messages = 0
        self._owners = _DistinctOwners()

    def add(self, notice: Notice) -> None:
        """Count a message to the token's owner."""
        self._messages += 1
        self._owners.add(notice.owner or "nobody known")

    def fill_in(self, part: DestinationPart) -> DestinationPart:
        """Add the counts to the report's part about the destination."""
        return structs.replace(
            part,
            owners=part.owners + len(self._owners),
            owner_messages=part.owner_messages + self._messages,
            named_owners=[*part.named_owners, *self._owners.first_names][:_MAX_NAMED],
        )


class OwnersWithoutAddress:
    """Looks addresses up, and collects the owners who have none."""

    def __init__(self, addresses: AddressBook | None) -> None:
        self._addresses = addresses
        self._owners = _DistinctOwners()

    def find_address(self, notice: Notice) -> str | None:
        """The address of the token's owner; None if there is none, or no addresses are known."""
        if self._addresses is None:
            return None
        address = self._addresses.find(notice.username)
        if address is None and notice.owner is not None:
            self._owners.add(notice.owner)
        return address

    def fill_in(self, part: DestinationPart) -> DestinationPart:
        """Add those who have none, and so get no mail, to the report's part about a service that sends mail."""
        return structs.replace(
            part,
            owners_without_address=part.owners_without_address + len(self._owners),
            named_without_address=[*part.named_without_address, *self._owners.first_names][:_MAX_NAMED],
        )

    def remarks(self) -> list[Remark]:
        """Build the warning of those who have none; empty if all have one."""
        if self._addresses is None or not len(self._owners):
            return []
        owners = list_some(self._owners.first_names, _MAX_NAMED, total=len(self._owners))
        count = format_owner_count(len(self._owners))
        message = f"--owner-address gives no mail address for {count}: {owners}; add them"
        return [Remark(where=WHERE, code="no-address", message=message)]
