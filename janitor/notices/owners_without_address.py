"""The owners of due tokens, counted and named once in the report: those who get messages, and those without address."""

from itertools import islice

from msgspec import structs

from janitor.notices.address_book import AddressBook
from janitor.notices.channel import WHERE
from janitor.notices.notice import Notice
from janitor.report.model import DestinationPart, Remark
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 10


class OwnerCount:
    """Counts messages, and the owners who get them, the first ten by name."""

    def __init__(self) -> None:
        self._messages = 0
        self._owners: dict[str, None] = {}

    def add(self, notice: Notice) -> None:
        """Count a message to the token's owner."""
        self._messages += 1
        self._owners.setdefault(notice.owner or "nobody known")

    def fill_in(self, part: DestinationPart) -> DestinationPart:
        """Add the counts to the report's part about the destination."""
        named = [*islice(self._owners, _MAX_NAMED)]
        return structs.replace(
            part,
            owners=part.owners + len(self._owners),
            owner_messages=part.owner_messages + self._messages,
            named_owners=[*part.named_owners, *named][:_MAX_NAMED],
        )


class OwnersWithoutAddress:
    """Looks addresses up, and collects the owners who have none."""

    def __init__(self, addresses: AddressBook | None) -> None:
        self._addresses = addresses
        self._owners: dict[str, None] = {}

    def find_address(self, notice: Notice) -> str | None:
        """The address of the token's owner; None if there is none, or no addresses are known."""
        if self._addresses is None:
            return None
        address = self._addresses.find(notice.username)
        if address is None and notice.owner is not None:
            self._owners.setdefault(notice.owner)
        return address

    @property
    def count(self) -> int:
        """How many owners have none."""
        return len(self._owners)

    @property
    def first_names(self) -> list[str]:
        """The first ten of them."""
        return [*islice(self._owners, _MAX_NAMED)]

    def remarks(self) -> list[Remark]:
        """Build the warning of those who have none; empty if all have one."""
        if self._addresses is None or not self._owners:
            return []
        owners = list_some([*self._owners], _MAX_NAMED)
        count = format_count(len(self._owners), "owner")
        message = f"--owner-address gives no mail address for {count}: {owners}; add them"
        return [Remark(where=WHERE, code="no-address", message=message)]
