"""Send messages to one service of Apprise: a chat, a mailbox, a pager, each named by a URL.

The URL is a secret: it holds tokens and passwords. Neither it nor anything that Apprise says of it leaves this module:
Apprise's own log goes nowhere, and of an error only the HTTP status is kept. No redirect is followed.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

import apprise
from apprise.plugins.email import NotifyEmail

from janitor.errors import ConfigurationError, SinkError
from janitor.sinks.sns import Message, PublishResult, Severity

# The most that a service may delay a run, for one message.
_TIMEOUT_SECONDS = 20.0
# How many mails in a row may fail, before the others are not tried.
_MOST_FAILURES = 3
_FIND_STATUS = re.compile(r"error=(\d{3})\b").search
_WAY_OUT = "check its URL, and that the service can be reached from here"
# How much of a message the title may take, where a service has no place of its own for it.
_TITLE_LENGTH = 120
# A pager makes its severity of it, a chat the color.
_TYPES = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.FAILURE: apprise.NotifyType.FAILURE,
}
_FORMS = "https://appriseit.com/services/ has the form of each service"

# Its lines hold URLs and answers, at any level.
logging.getLogger("apprise").propagate = False
logging.getLogger("apprise").addHandler(logging.NullHandler())


class Service:
    """A service to send to, as a topic that notices are published to. Not thread-safe.

    Attributes:
        label: what messages call it: its place among the URLs, and its scheme.
        max_length: how many characters a message may have.
        is_mail: whether it sends mail, and so can send to an address given with the message.
    """

    def __init__(self, url: str, label: str) -> None:
        """Prepare; nothing is sent.

        Args:
            url: of the service, with its secrets.
            label: what messages call it.

        Raises:
            ConfigurationError: Apprise does not know such a service, or the URL lacks something.
        """
        self.label = label
        self._asset = apprise.AppriseAsset(
            async_mode=False,
            http_redirects=False,
            service_timeout=_TIMEOUT_SECONDS,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        try:
            plugin = apprise.Apprise.instantiate(url, asset=self._asset)
        except Exception:  # noqa: BLE001  # whatever a plugin makes of a wrong URL; its text may hold the URL
            plugin = None
        if plugin is None:
            raise ConfigurationError(f"{label}: Apprise does not know this URL", _FORMS, "notify-url")
        self._url, self._plugin = url, plugin
        self.is_mail = isinstance(plugin, NotifyEmail)
        self.max_length = plugin.body_maxlen - (0 if plugin.title_maxlen > 0 else _TITLE_LENGTH)
        if plugin.resolve_format(apprise.NotifyFormat.TEXT) is not apprise.NotifyFormat.TEXT:
            # What escapes the text makes it longer.
            self.max_length //= 2
        if plugin.overflow_mode == apprise.OverflowMode.UPSTREAM:
            # Rather two messages than one that is refused.
            plugin.overflow_mode = apprise.OverflowMode.SPLIT

    def __repr__(self) -> str:
        return f"Service({self.label})"

    def publish(self, message: Message) -> None:
        """Send one message.

        Raises:
            SinkError: the service refused it, or could not be reached.
        """
        self._send(self._plugin, message)

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[PublishResult]:
        """Send each message to the mail address in its attribute `address`; yield it with what became of it.

        Several failures in a row end the sending, because each may take its time: the remaining messages are not sent,
        and get the last error.
        """
        failures: list[SinkError] = []
        for message in messages:
            if len(failures) < _MOST_FAILURES:
                try:
                    self._send(self._mail_to(message.attributes["address"]), message)
                except SinkError as error:
                    failures.append(error)
                else:
                    failures.clear()
            yield message, failures[-1] if failures else None

    def _mail_to(self, address: str) -> Any:
        """The same mail server and sender, for one recipient."""
        parts: dict[str, Any] = dict(NotifyEmail.parse_url(self._url))
        parts |= {"schema": self._url.partition(":")[0].lower(), "targets": [address], "cc": "", "bcc": ""}
        plugin = apprise.Apprise.instantiate(parts, asset=self._asset)
        if plugin is None:
            raise SinkError(f"{self.label}: {address!r} is not a mail address", "correct --owner-address", "address")
        return plugin

    def _send(self, plugin: Any, message: Message) -> None:
        sender = apprise.Apprise(asset=self._asset)
        sender.add(plugin)
        logs: list[str] = []
        try:
            result = sender.notify(
                body=message.body,
                title=message.subject or "",
                notify_type=_TYPES[message.severity],
                body_format=apprise.NotifyFormat.TEXT,
                log_callback=lambda entry, _: logs.append(str(entry.message)),
            )
        except Exception as error:  # noqa: BLE001  # its text may hold the URL
            raise self._error(f"failed with {type(error).__name__}") from None
        if not result:
            status = next((found[1] for found in map(_FIND_STATUS, logs) if found), None)
            raise self._error(f"was refused with {status}" if status else "was not taken")

    def _error(self, what: str) -> SinkError:
        return SinkError(f"the message to {self.label} {what}", _WAY_OUT, "notify")
