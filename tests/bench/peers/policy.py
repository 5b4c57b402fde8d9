"""janitor's default policy as somebody would write it into a script."""

DAY = 86_400
HORIZON = 30 * DAY
GRACE = 7 * DAY
LAST_SECOND = 99_999_999_999
FILTER = "attribute_not_exists(#e) OR NOT attribute_type(#e, :n) OR #e < :horizon OR #e > :max"


def state(expiry: int, now: int) -> str:
    """Name the state of a row with a usable expiry; both in UNIX seconds."""
    if expiry > LAST_SECOND:
        return "malformed"
    if now >= expiry + GRACE:
        return "stale"
    if now >= expiry:
        return "expired"
    return "expiring" if expiry <= now + HORIZON else "active"
