"""Texts from a table, made harmless for whoever reads them."""


def plain(text: str) -> str:
    """The text as one visible line: whatever Python calls unprintable is written out as an escape.

    Those are control characters, format characters such as bidirectional overrides, line ends, odd spaces, and lone
    surrogates, which no encoding takes.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
