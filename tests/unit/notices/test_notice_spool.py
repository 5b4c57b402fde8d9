from contextlib import closing

from janitor.notices.audience import MessageKind
from janitor.notices.notice_spool import NoticeSpool
from tests.unit.notices.notices import notice


def test_notices_may_be_marked_while_they_are_read() -> None:
    with closing(NoticeSpool()) as spool:
        spool.add(MessageKind, [notice(number, seconds_to_expiry=number) for number in range(1, 3_001)])
        read = []
        for each in spool.for_kind(MessageKind.DIGEST):
            read.append(each.seconds_to_expiry)
            spool.mark_sent(MessageKind.DIGEST, [each])
            if each.seconds_to_expiry % 2:
                spool.drop(MessageKind.OWNER, [each])
        assert read == list(range(1, 3_001))
        assert spool.are_all_sent(MessageKind.DIGEST)
        assert len(spool.for_kind(MessageKind.OWNER)) == 1_500
