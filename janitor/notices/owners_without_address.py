"""The owners of due tokens whom `--owner-address` gives no address: counted and named once in the report."""

from janitor.notices.address_book import AddressBook
from janitor.notices.channel import WHERE
from janitor.notices.notice import Notice
from janitor.report.model import Remark
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 10


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

    def remarks(self) -> list[Remark]:
        """Build the warning of those who have none; empty if all have one."""
        if self._addresses is None or not self._owners:
            return []
        owners = list_some([*self._owners], _MAX_NAMED)
        count = format_count(len(self._owners), "owner")
        message = f"--owner-address gives no mail address for {count}: {owners}; add them"
        return [Remark(where=WHERE, code="no-address", message=message)]
