import threading
from queue import SimpleQueue

from hypothesis import given
from hypothesis import strategies as st

from janitor.serve.table_queue import TableQueue, Ticket, TicketQueue

SECONDS = 10.0
A, B, C, BOTH = frozenset("a"), frozenset("b"), frozenset("c"), frozenset("ab")


def test_a_table_is_had_by_one_at_a_time_in_the_order_they_asked() -> None:
    queue = TicketQueue(9)
    first, both, second, last = (queue.enqueue(tables) for tables in (A, BOTH, B, A))
    assert queue.may_begin(first)
    queue.begin(first)
    # B is free, but who asked for both before would otherwise wait for ever.
    assert not any(queue.may_begin(each) for each in (both, second, last))
    queue.remove(first)
    assert [queue.may_begin(each) for each in (both, second, last)] == [True, False, False]
    queue.begin(both)
    queue.remove(both)
    assert queue.may_begin(second)
    assert queue.may_begin(last)


def test_tables_of_their_own_are_had_at_once_up_to_a_number() -> None:
    queue = TicketQueue(2)
    first, second, third = (queue.enqueue(tables) for tables in (A, B, C))
    for each in (first, second):
        assert queue.may_begin(each)
        queue.begin(each)
    assert not queue.may_begin(third)
    queue.remove(second)
    assert queue.may_begin(third)


def test_who_goes_home_while_waiting_stands_in_nobodys_way() -> None:
    queue = TicketQueue(9)
    first, both, second = (queue.enqueue(tables) for tables in (A, BOTH, B))
    queue.begin(first)
    queue.remove(both)
    assert queue.may_begin(second)


@given(wishes=st.lists(st.frozensets(st.sampled_from("abcde"), min_size=1), max_size=12), most=st.integers(1, 4))
def test_everybody_gets_a_turn_and_nobody_shares_a_table(wishes: list[frozenset[str]], most: int) -> None:
    queue = TicketQueue(most)
    waiting = [queue.enqueue(tables) for tables in wishes]
    at_work: list[Ticket] = []
    while waiting or at_work:
        able = [each for each in waiting if queue.may_begin(each)]
        if able:
            queue.begin(able[0])
            waiting.remove(able[0])
            at_work.append(able[0])
        else:
            assert at_work
            queue.remove(at_work.pop(0))
        assert len(at_work) <= most
        assert sum(len(each.tables) for each in at_work) == len(frozenset().union(*(each.tables for each in at_work)))


def test_a_turn_comes_when_the_one_before_leaves_and_none_after_the_end() -> None:
    turns = TableQueue(9)
    said: SimpleQueue[str] = SimpleQueue()

    def wait_for_a() -> None:
        with turns.hold(A) as has_come:
            said.put("came" if has_come else "sent home")

    with turns.hold(A) as has_come:
        assert has_come
        second = threading.Thread(target=wait_for_a)
        second.start()
        said.put("leaves")
    second.join(SECONDS)
    assert [said.get(timeout=SECONDS), said.get(timeout=SECONDS)] == ["leaves", "came"]
    with turns.hold(A):
        third = threading.Thread(target=wait_for_a)
        third.start()
        turns.close()
        third.join(SECONDS)
        assert said.get(timeout=SECONDS) == "sent home"
    with turns.hold(B) as has_come:
        assert not has_come
