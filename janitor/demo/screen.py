"""Shortens what a command prints, so that the acts of the demo fit on a screen each."""

from collections.abc import Collection, Iterator

# That so few lines are not shown is not worth a line.
_FEW_LINES = 3


def list_sections(output: str) -> list[str]:
    """Split an output into its sections, which have empty lines between them."""
    return [section.strip("\n") for section in output.split("\n\n") if section.strip()]


def shorten(output: str, *, hidden: Collection[str] = (), most_lines: int, most_of_a_section: int) -> str:
    """Shorten an output: its first sections, the first lines of each, and how many more lines there are.

    Args:
        output: what a command printed.
        hidden: sections that are left out, for example because the reader has seen them.
        most_lines: how many lines the sections may have together.
        most_of_a_section: how many lines of one section are shown; all if there are up to three more.
    """
    sections = [section for section in list_sections(output) if section not in hidden]
    return "\n\n".join(_shorten(sections, most_lines, most_of_a_section))


def _shorten(sections: list[str], most_lines: int, most_of_a_section: int) -> Iterator[str]:
    left_out = 0
    for section in sections:
        lines = section.split("\n")
        is_short = len(lines) <= most_of_a_section + _FEW_LINES
        listed = lines if is_short else lines[: most_of_a_section - 1]
        if len(listed) > most_lines or left_out:
            left_out += len(lines)
            continue
        most_lines -= len(listed)
        more = len(lines) - len(listed)
        yield "\n".join([*listed, *([f"… {more} more lines, not shown here"] if more else [])])
    if left_out:
        yield f"… {left_out} more lines, not shown here"
