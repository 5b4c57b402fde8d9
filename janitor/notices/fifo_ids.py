"""The ids that a FIFO topic needs with every message: a group, within which order is kept, and one for deduplication.

Amazon SNS takes at most 128 letters, digits and punctuation marks of ASCII for either (Publish, `MessageGroupId`).
"""

import re
from hashlib import sha256

_LONGEST = 128
_REFUSED = re.compile(r"[^!-~]")
_NO_GROUP = "janitor"
_HASH_LENGTH = 16


def group_id(table: str) -> str:
    """The group of a table's messages: its name, with a hash in the place of what SNS would not take."""
    group = _REFUSED.sub("_", table) or _NO_GROUP
    if len(group) <= _LONGEST:
        return group
    return f"{group[: _LONGEST - _HASH_LENGTH - 1]}-{_hash(table)[:_HASH_LENGTH]}"


def deduplication_id(*parts: str) -> str:
    """The id of a message that only these texts together identify; a hash if SNS would refuse them."""
    whole = "/".join(parts)
    return whole if 0 < len(whole) <= _LONGEST and not _REFUSED.search(whole) else _hash(whole)


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
