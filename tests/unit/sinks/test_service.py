import pytest

from janitor.errors import SinkError
from janitor.sinks.service import Service
from janitor.sinks.sns import Message


def mail(number: int) -> Message:
    address = {"address": f"owner-{number}@example.com"}
    return Message(body="text", group_id="g", deduplication_id=str(number), attributes=address)


def test_a_mail_server_that_is_down_is_not_waited_for_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service("mailto://user:secret@localhost:1?from=janitor@example.com&to=ops@example.com", "--notify 1")
    tried: list[Message] = []

    def send(_: object, message: Message) -> None:
        tried.append(message)
        if message.deduplication_id != "2":
            raise SinkError("down")

    monkeypatch.setattr(service, "_send", send)
    results = list(service.publish_batches(iter([mail(number) for number in range(10)])))
    assert [error is None for _, error in results] == [number == 2 for number in range(10)]
    assert len(tried) == 6
    assert "secret" not in repr(service)


def test_an_address_that_is_none_is_an_error_of_its_message() -> None:
    service = Service("mailto://user:secret@localhost:1?from=janitor@example.com&to=ops@example.com", "--notify 1")
    wrong = Message(body="text", group_id="g", deduplication_id="1", attributes={"address": "@"})
    [(_, error)] = service.publish_batches(iter([wrong]))
    assert error is not None
    assert "secret" not in str(error)
