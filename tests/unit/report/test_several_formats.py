"""Reports of several tables, as people read them."""

import shlex

from msgspec import structs

from janitor.report.formats.html import HtmlFormat
from janitor.report.formats.ics import IcsFormat
from janitor.report.formats.markdown import MarkdownFormat
from janitor.report.formats.table import TableFormat
from janitor.report.model import Remark, Report
from janitor.report.next_steps import list_steps
from tests.html_reports import HOSTILE, after_a_sweep, believable
from tests.reports import named, of_several


def several() -> Report:
    broken = structs.replace(believable(), errors=[Remark(where="scan", code="denied", message="it is denied")])
    return of_several(believable(), named(after_a_sweep(), "b <i>"), named(broken, "c", "eu-west-1"))


def test_the_page_has_a_line_a_table_and_a_filter_by_table() -> None:
    shown = HtmlFormat().tail(several()).decode()
    assert "b &lt;i>" in shown or "b &lt;i&gt;" in shown
    assert "b <i>" not in shown
    assert shown.count("<tr") > len(several().tables)
    for wanted in ('id="by-table"', "id=by-table", 'id="tables"', "id=tables"):
        assert wanted in shown or wanted.replace('"', "") in shown
    assert "c: it is denied." in shown


def test_each_table_has_its_own_next_steps() -> None:
    found = list(list_steps(several()))
    names = {step.advice.partition(": ")[0] for step in found}
    assert names == {part.label for part in several().tables}
    for step in found:
        for command in step.commands:
            arguments = shlex.split(command)
            if arguments[1] in ("scan", "sweep"):
                [label] = [part.label for part in several().tables if step.advice.startswith(f"{part.label}: ")]
                assert arguments[arguments.index("--table") + 1] == label
    # What the commands of one table write, those of another do not.
    files = [
        shlex.split(command)[at + 1]
        for step in found
        for command in step.commands
        for at, word in enumerate(shlex.split(command))
        if word in ("--plan", "--report")
    ]
    assert len(files) == len(set(files)) > len(several().tables)


def test_each_text_names_every_table_and_stays_harmless() -> None:
    hostile = of_several(
        believable(), *(named(believable(), f"t{number}{text}") for number, text in enumerate(HOSTILE))
    )
    for width in (60, 110, 160):
        printed = TableFormat(width=width, colour=False).tail(hostile).decode()
        assert all(line.isprintable() for line in printed.split("\n"))
        assert f"{len(hostile.tables)} tables" in printed
    text = MarkdownFormat().tail(hostile).decode()
    assert "| Table | Region |" in text
    assert "| What it means | Table |" in text


def test_a_calendar_has_the_token_of_each_table() -> None:
    one = IcsFormat().tail(believable()).count(b"BEGIN:VEVENT")
    both = IcsFormat().tail(of_several(believable(), named(believable(), "other"))).count(b"BEGIN:VEVENT")
    assert both == 2 * one > 0
