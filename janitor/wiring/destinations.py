"""Where notices go, from the settings: the topic, then each service of `--notify`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from janitor.errors import ConfigurationError
from janitor.settings.output import NoticeSettings
from janitor.settings.parsers import NotifyFile, NotifyUrl
from janitor.settings.setting import flag

if TYPE_CHECKING:
    from janitor.dynamodb.client import AwsSession
    from janitor.notices.channel import Destination, PublishingTopic
    from janitor.sinks.service import Service
    from janitor.stopping import Stop

# scrypt's cost: some 50 ms, and 16 MB. A password in a URL cannot be guessed from what the store holds.
_SCRYPT_COST = 2**14
_SALT = b"janitor notify"


def has_destination(settings: NoticeSettings) -> bool:
    """Whether anybody is to be notified."""
    return settings.sns_topic_arn is not None or bool(settings.notify)


def name_destination_flag(settings: NoticeSettings) -> str:
    """The flag by which somebody is to be notified, for an error."""
    return flag("sns_topic_arn" if settings.sns_topic_arn is not None else "notify")


def check_destinations(settings: NoticeSettings) -> None:
    """Check that every service is known, and that owners' addresses can be read; nothing is sent.

    Raises:
        ConfigurationError: Apprise is not installed or does not know a URL, or a file cannot be read.
    """
    services = _list_services(settings.notify)
    if settings.per_token and settings.sns_topic_arn is None:
        if not any(service.is_mail for service in services):
            way_out = "give --sns-topic-arn ARN, or a mailto:// URL with --notify"
            raise ConfigurationError("--per-token needs a topic to publish to", way_out)
        if settings.owner_address is None:
            way_out = "give --owner-address '{username}@example.com', or a file"
            raise ConfigurationError("--per-token by mail needs the owners' addresses", way_out)
    if settings.owner_address is not None:
        from janitor.notices.address_book import open_address_book

        open_address_book(settings.owner_address)


def list_destinations(settings: NoticeSettings) -> list[Destination]:
    """List where notices go: the topic first, then the services in their order."""
    from janitor.notices.channel import Destination

    arn = settings.sns_topic_arn
    topic = [] if arn is None else [Destination(arn, arn)]
    urls = _read_urls(settings.notify)
    services = _list_services(settings.notify)
    return topic + [
        Destination(_make_id(url), service.label, service.max_length, service.is_mail)
        for url, service in zip(urls, services, strict=True)
    ]


def open_destination(
    settings: NoticeSettings, destination: Destination, aws: Callable[[], AwsSession], stop: Stop
) -> PublishingTopic:
    """Open what messages are sent to: the topic, through this session, or a service."""
    if destination.id == settings.sns_topic_arn:
        from janitor.sinks.sns import Topic

        return Topic(aws().sns, destination.id, stop.pause)
    return next(service for service in _list_services(settings.notify) if service.label == destination.label)


@cache
def _list_services(given: Sequence[NotifyUrl | NotifyFile]) -> list[Service]:
    if not given:
        return []
    if find_spec("apprise") is None:
        sentence = "--notify needs Apprise, which is not installed"
        raise ConfigurationError(sentence, "pip install 'token-janitor[notify]'", "extra")
    from janitor.sinks.service import Service

    return [
        Service(url, f"--notify {number} ({url.partition(':')[0]})")
        for number, url in enumerate(_read_urls(given), start=1)
    ]


@cache
def _read_urls(given: Sequence[NotifyUrl | NotifyFile]) -> list[str]:
    """The URLs, those in files too, each once."""
    urls: dict[str, None] = {}
    for each in given:
        urls |= dict.fromkeys([each.text] if isinstance(each, NotifyUrl) else _read_file(each))
    return [*urls]


def _read_file(file: NotifyFile) -> list[str]:
    """The URLs in a file, one a line; empty lines and those that begin with # are left out."""
    way_out = "give a file that can be read, with a URL on each line"
    try:
        lines = file.path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"
        raise ConfigurationError(f"--notify file:{file.path}: {reason}", way_out, "notify-file") from None
    urls = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not urls or any("://" not in url for url in urls):
        problem = "a line is not a URL" if urls else "it holds no URL"
        raise ConfigurationError(f"--notify file:{file.path}: {problem}", way_out, "notify-file")
    return urls


@cache
def _make_id(url: str) -> str:
    """What names a service in the store: as long as its URL is the same, and without telling it."""
    digest = hashlib.scrypt(url.encode(), salt=_SALT, n=_SCRYPT_COST, r=8, p=1, dklen=12)
    return f"notify-{digest.hex()}"
