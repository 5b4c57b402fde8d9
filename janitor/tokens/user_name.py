"""Names of users compared: in one form of Unicode, for an accent may be a character of its own or not; case counts."""

import unicodedata
from fnmatch import fnmatchcase


def composed(name: str) -> str:
    """The name in the form that it is compared in (NFC)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def fits(name: str, pattern: str) -> bool:
    """Whether a shell pattern fits the whole of a name."""
    return fnmatchcase(composed(name), composed(pattern))


def spellings(name: str) -> list[str]:
    """The forms in which a table may hold this name, each once: as it is given, composed, decomposed."""
    return list(dict.fromkeys([name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]))
