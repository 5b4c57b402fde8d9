"""How a run judges and names rows, from its settings: the policy and the key of fingerprints."""

import codecs
import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from janitor.errors import ConfigurationError
from janitor.report.model import Remark
from janitor.settings.table import PolicySettings, ProtectionSettings
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.narrowing import NO_NARROWING, Narrowing
from janitor.tokens.policy import Policy


def make_policy(
    policy: PolicySettings,
    protection: ProtectionSettings,
    dialect: Dialect,
    include: Sequence[str] = (),
    unlock_after: int | None = None,
    *,
    narrowing: Narrowing = NO_NARROWING,
) -> Policy:
    """Make the policy for a table of this dialect.

    `include` names what may be deleted besides stale rows, `narrowing` which of all these are planned. LISA before 6.1
    creates no tokens and accepts rows without a date, so in a classic table `unlock_after` is dropped, and no row
    without a date is ever dead.
    """
    return Policy(
        dialect=dialect,
        thresholds=tuple(sorted(set(policy.expiring_within), reverse=True)),
        grace=policy.grace,
        protect_users=protection.protect_user,
        protect_system=protection.protect_system,
        include_legacy="legacy" in include,
        include_undated="undated" in include,
        has_workbench=Gate.WORKBENCH in policy.gates,
        unlock_after=unlock_after if dialect is Dialect.HASHED else None,
        narrowing=narrowing,
    )


def find_policy_warnings(policy: Policy, include: Sequence[str], unlock_after: int | None) -> tuple[Remark, ...]:
    """Warn of rules that have no effect: in a classic table, or because another comes first.

    Args:
        policy: the rules as they are for the table.
        include: what the user lets a sweep delete besides stale rows.
        unlock_after: what the user gave, in seconds.
    """
    return tuple(
        Remark(where="policy", code="no-effect", message=f"{option} has no effect{why}")
        for option, why in _find_rules_without_effect(policy, include, unlock_after)
    )


def _find_rules_without_effect(
    policy: Policy, include: Sequence[str], unlock_after: int | None
) -> Iterator[tuple[str, str]]:
    """Yield each option with the reason."""
    is_classic = policy.dialect is Dialect.CLASSIC
    if unlock_after is not None and is_classic:
        yield "--unlock-after", " in a classic table: LISA before 6.1 creates no tokens, so nobody is locked out"
    elif unlock_after is not None and unlock_after >= policy.grace:
        yield "--unlock-after", ": it is not shorter than the grace, after which every row is stale"
    if "undated" in include and is_classic:
        yield "--include undated", " in a classic table: LISA before 6.1 accepts a row without a date for ever"


class TableRunParameters(msgspec.Struct, frozen=True, kw_only=True):
    """By which rules, and at what time, a run judges a table.

    Attributes:
        run_id: the run's id.
        policy: the rules.
        now: the UNIX second at which rows are judged: the present, or `as_of`.
        as_of: the time that the user gave instead of the present.
        fingerprint_key: the key of fingerprints; None for plain ones.
        is_dry_run: whether nothing is deleted, announced or remembered.
        connection: the options by which the next commands reach the table, each with a space before it.
    """

    run_id: str
    policy: Policy
    now: int
    as_of: int | None
    fingerprint_key: bytes | None
    is_dry_run: bool
    connection: str = ""


def read_fingerprint_key(path: Path | None) -> bytes | None:
    """Read the key of fingerprints from this file, without the line end after it; None for no file.

    Raises:
        ConfigurationError: the file cannot be read, is empty, or begins with a byte order mark.
    """
    if path is None:
        return None
    try:
        fingerprint_key = path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise ConfigurationError(
            f"--fingerprint-key-file {path} cannot be read: {error.strerror}", "give a file that can be read"
        ) from None
    if fingerprint_key.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigurationError(
            f"--fingerprint-key-file {path} begins with a byte order mark, which would become part of the secret",
            "save it as UTF-8 without the mark",
        )
    if not fingerprint_key:
        raise ConfigurationError(f"--fingerprint-key-file {path} is empty", "write a long secret into it")
    return fingerprint_key


def compute_key_id(key: bytes | None) -> str:
    """An id of the key, which tells a store that a record was written under another key. It does not reveal the key."""
    return "-" if key is None else hmac.new(key, b"the name of this key", sha256).hexdigest()[:12]
