from janitor.notices.address_book import AddressBook
from janitor.notices.owners_without_address import OwnerCount, OwnersWithoutAddress
from janitor.report.model import MAX_COUNTED_OWNERS, DestinationPart
from janitor.report.summary import format_owner_count
from tests.unit.notices.notices import notice

PART = DestinationPart(label="a topic")


def test_each_owner_counts_once_up_to_a_limit_and_each_message_counts() -> None:
    owner_count, without_address = OwnerCount(), OwnersWithoutAddress(AddressBook(None, {}, "an empty file"))
    for number in [*range(MAX_COUNTED_OWNERS - 1), *range(100)]:
        owner_count.add(notice(username=f"owner-{number}"))
        assert without_address.find_address(notice(username=f"owner-{number}")) is None
    part = without_address.fill_in(owner_count.fill_in(PART))
    assert (part.owners, part.owner_messages) == (MAX_COUNTED_OWNERS - 1, MAX_COUNTED_OWNERS + 99)
    assert part.named_owners == part.named_without_address == [f"owner-{number}" for number in range(10)]
    assert (part.owners_without_address, format_owner_count(part.owners)) == (9_999, "9,999 owners")
    for number in range(MAX_COUNTED_OWNERS, MAX_COUNTED_OWNERS + 50):
        owner_count.add(notice(username=f"owner-{number}"))
        without_address.find_address(notice(username=f"owner-{number}"))
    part = owner_count.fill_in(PART)
    assert (part.owners, part.owner_messages) == (MAX_COUNTED_OWNERS, MAX_COUNTED_OWNERS + 149)
    [warning] = without_address.remarks()
    assert "no mail address for 10,000 owners or more: owner-0, owner-1, " in warning.message
    assert warning.message.endswith(" and 9,990 more; add them")
