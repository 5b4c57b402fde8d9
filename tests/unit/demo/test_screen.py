"""What the demo shows of a long output."""

from janitor.demo.screen import list_sections, shorten

LONG = "\n".join(f"line {number}" for number in range(12))


def test_a_short_output_is_shown_as_it_is() -> None:
    output = "a headline\n\na section\nof two lines\n"
    assert shorten(output, most_lines=10, most_of_a_section=5) == output.strip()
    section = "\n".join("abcdefgh")
    assert shorten(section, most_lines=10, most_of_a_section=5) == section
    assert shorten("", most_lines=10, most_of_a_section=5) == ""


def test_what_is_left_out_is_counted() -> None:
    shown = shorten(f"headline\n\n{LONG}\n\n{LONG}\n\nlast", most_lines=8, most_of_a_section=5)
    assert shown == (
        "headline\n\nline 0\nline 1\nline 2\nline 3\n… 8 more lines, not shown here\n\n… 13 more lines, not shown here"
    )


def test_a_section_that_was_shown_before_is_not_shown_again() -> None:
    first = f"headline at 10:00\n\n{LONG}\n\nlast"
    assert (
        shorten(
            f"headline at 10:01\n\n{LONG}\n\nnews\n\nlast\n",
            hidden=list_sections(first),
            most_lines=10,
            most_of_a_section=5,
        )
        == "headline at 10:01\n\nnews"
    )
