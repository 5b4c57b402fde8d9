import sys
from pathlib import Path

import pytest

from janitor.errors import ConfigurationError
from janitor.settings.output import NoticeSettings
from janitor.settings.parsers import parse_notify
from janitor.wiring.destinations import check_destinations, list_destinations

ARN = "arn:aws:sns:us-east-1:123456789012:tokens"


def test_the_topic_comes_first_and_each_url_once_wherever_it_is_given(tmp_path: Path) -> None:
    file = tmp_path / "urls"
    file.write_text("# chat\njson://localhost/secret-a\n\n  json://localhost/secret-b \n", encoding="utf-8")
    given = (parse_notify("json://localhost/secret-a"), parse_notify(f"file:{file}"))
    settings = NoticeSettings(sns_topic_arn=ARN, notify=given)
    topic, first, second = list_destinations(settings)
    assert (topic.id, topic.max_length) == (ARN, None)
    assert (first.label, second.label) == ("--notify 1 (json)", "--notify 2 (json)")
    assert first.id != second.id
    assert "secret" not in f"{topic}{first}{second}{settings}"
    assert list_destinations(NoticeSettings(notify=given))[0].id == first.id


def test_without_the_extra_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'token-janitor\[notify\]'"):
        check_destinations(NoticeSettings(notify=(parse_notify("json://localhost/not-seen-before"),)))
    check_destinations(NoticeSettings())


@pytest.mark.parametrize("content", ["", "# nothing\n", "json://localhost\nsecret without a scheme\n"])
def test_a_file_without_urls_is_an_error_that_shows_none_of_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "urls"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        check_destinations(NoticeSettings(notify=(parse_notify(f"file:{file}"),)))
    assert "secret" not in str(raised.value)
