"""The settings of `janitor serve`."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.settings.consent import UnaskedConsentSettings
from janitor.settings.parsers import parse_path
from janitor.settings.setting import Settings, reuse, setting

_LAST_PORT = 65_535


class Address(NamedTuple):
    """Where to listen; port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, an IPv6 host in brackets.

    Raises:
        ValueError: the text is not an address.
    """
    host, _, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if is_bracketed else host
    if not name or (":" in name and not is_bracketed):
        raise ValueError(f"{text!r} is not HOST:PORT, like 127.0.0.1:8080; write an IPv6 address in brackets")
    if not (port.isascii() and port.isdecimal()) or int(port) > _LAST_PORT:
        raise ValueError(f"{text!r} is not HOST:PORT: {port!r} is not a port, a number up to {_LAST_PORT}")
    return Address(name, int(port))


def parse_runs(text: str) -> int:
    """A whole number from 1.

    Raises:
        ValueError: the text is not such a number.
    """
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ValueError(f"{text!r} is not a whole number from 1")
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(Settings):
    """The settings of `janitor serve`."""

    listen: Address = setting(
        "Where the pages and metrics are served; anybody who reaches it may read them, so keep it private.",
        metavar="HOST:PORT",
        parse=parse_address,
        default="127.0.0.1:8080",
    )
    state_dir: Path | None = setting(
        "Where it keeps each job's last report, and when each ran. One daemon a folder.",
        metavar="PATH",
        parse=parse_path,
        default_words="serve/ in the state directory",
    )
    dry_run: bool = setting(
        "Delete nothing, whatever the files say, notify nobody and remember nothing: every run is a dry run.",
        is_switch=True,
    )
    yes: bool = reuse(UnaskedConsentSettings, "yes")
    max_runs: int = setting(
        "How many runs may be at work at once, each of other tables. One takes 65 to 125 MB of memory, up to 210 MB "
        "if it writes every format; each process that reads for it (--workers) takes up to 100 MB more.",
        metavar="N",
        parse=parse_runs,
        default="2",
    )
