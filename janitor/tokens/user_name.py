"""Compare user names in one Unicode form, because an accent may or may not be a separate character. Case matters."""

import unicodedata
from fnmatch import fnmatchcase


def normalize_name(name: str) -> str:
    """Return the name in the Unicode form in which names are compared (NFC)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def matches_pattern(name: str, pattern: str) -> bool:
    """Whether a shell pattern matches the whole name."""
    return fnmatchcase(normalize_name(name), normalize_name(pattern))


def list_spellings(name: str) -> list[str]:
    """List the forms in which a table may hold this name, each once: as given, composed (NFC), decomposed (NFD)."""
    return list(dict.fromkeys([name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]))
