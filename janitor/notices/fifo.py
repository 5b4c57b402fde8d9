"""What a FIFO topic asks of every message: a group, within which order holds, and an id, by which a repeat is dropped.

Amazon SNS takes at most 128 letters, digits and punctuation marks of ASCII for either (Publish, `MessageGroupId`).
"""

import re
from hashlib import sha256

_LONGEST = 128
_REFUSED = re.compile(r"[^!-~]")
_NO_GROUP = "janitor"
_HASH_LENGTH = 16


def group_id(table: str) -> str:
    """The group of a table's messages: its name, as far as SNS takes it, and still its own where it had to be cut."""
    group = _REFUSED.sub("_", table) or _NO_GROUP
    if len(group) <= _LONGEST:
        return group
    return f"{group[: _LONGEST - _HASH_LENGTH - 1]}-{_hash(table)[:_HASH_LENGTH]}"


def deduplication_id(*parts: str) -> str:
    """The id of a message that these texts tell from every other one of the topic; a hash where SNS would refuse it."""
    whole = "/".join(parts)
    return whole if 0 < len(whole) <= _LONGEST and not _REFUSED.search(whole) else _hash(whole)


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
