"""A digest in parts that SNS takes: cut at a notice's edge, numbered, every notice in exactly one of them.

Two passes over the notices. The first adds up what each takes in bytes and finds where to cut, so that the number of
parts is known; the second sets one part at a time. What a part takes is the length of the one JSON object that SNS
gets, in which both texts are strings: their quotes, backslashes and line ends count twice.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from janitor.notices.content import DigestContent
from janitor.notices.fifo import deduplication_id, group_id
from janitor.notices.machine import digest_json, notice_json
from janitor.notices.notice import Notice
from janitor.notices.prose import (
    Numbering,
    closing,
    due_lines,
    notice_lines,
    opening,
    owner_lines,
    section_lines,
    section_of,
)
from janitor.notices.subject import DueCounts, digest_subject

# What SNS takes: 256 KiB, for the message with all that goes with it.
LIMIT = 262_144

# Kept free in each part: its subject, and how much its numbers may change the wrapping of lines.
_SLACK = 1_024

# How many of each list are named, if there is room for them, else how many, and at last none: only counted.
_FEW = (10, 3, 0)
# Of several tables every one is told of, if there is room for them all, else so many, and at last only how many.
_TABLES = (100, 30, 10, 0)

# Longer than the real numbers ever are.
_WIDEST = 999_999_999


@dataclass(frozen=True, slots=True)
class DigestPart:
    """One message of a digest.

    Attributes:
        email: for mailboxes.
        machine: for every other protocol.
        notices: those that stand in this part, in both texts; sent once this part was taken.
        group_id, deduplication_id: for FIFO topics.
    """

    subject: str
    email: str
    machine: str
    notices: tuple[Notice, ...]
    group_id: str
    deduplication_id: str

    @property
    def message(self) -> str:
        """What is published, with `MessageStructure: json`: what was measured is this very text."""
        return _message(email=self.email, machine=self.machine)


class _Cuts(NamedTuple):
    """Where to cut, and what goes into the first part.

    Attributes:
        lengths: how many notices each part has.
        due: the notices counted.
        few: how many of each list are named.
        tables: how many tables are told of, where there are several.
        report: the decoded report that the first part carries, or None.
        is_report_omitted: whether there is one that it has no room for.
    """

    lengths: list[int]
    due: DueCounts
    few: int
    tables: int
    report: Any
    is_report_omitted: bool


def digest_parts(content: DigestContent, limit: int = LIMIT) -> Iterator[DigestPart]:
    """The digest as numbered parts, each within the limit in bytes; one part where it fits.

    Raises:
        ValueError: a single notice does not fit, which takes a limit far below that of SNS.
    """
    cuts = _cuts(content, limit)
    notices = iter(content.notices)
    total, parts = len(content.notices), len(cuts.lengths)
    for part, length in enumerate(cuts.lengths, start=1):
        numbering = Numbering(part, parts, length, total)
        yield _part(content, numbering, tuple(islice(notices, length)), cuts)


def _part(content: DigestContent, numbering: Numbering, notices: tuple[Notice, ...], cuts: _Cuts) -> DigestPart:
    email, machine = _texts(content, numbering, notices, cuts)
    return DigestPart(
        subject=digest_subject(content, cuts.due, part=numbering.part, parts=numbering.parts),
        email=email,
        machine=machine,
        notices=notices,
        group_id=group_id("+".join(table.table for table in content.tables) or content.table),
        # The text itself tells a part from all others: it holds the table, the time of the run and the number.
        deduplication_id=deduplication_id(sha256(machine.encode()).hexdigest()),
    )


def _texts(content: DigestContent, numbering: Numbering, notices: tuple[Notice, ...], cuts: _Cuts) -> tuple[str, str]:
    lines = [
        *opening(content, numbering, cuts.few, cuts.tables),
        *due_lines(notices),
        *closing(content, numbering, cuts.few),
    ]
    machine = digest_json(
        content,
        numbering,
        notices,
        report=cuts.report if numbering.part == 1 else None,
        is_report_omitted=cuts.is_report_omitted,
        few=cuts.few,
        tables=cuts.tables,
    )
    return "".join(f"{line}\n" for line in lines), machine


def _cuts(content: DigestContent, limit: int) -> _Cuts:
    room = limit - _SLACK
    frame = _first_frame(content, room)
    later = _frame_size(content, frame, part=_WIDEST)
    due, lengths = DueCounts(), []
    meter = _Meter(room, _frame_size(content, frame, part=1))
    for notice in content.notices:
        due.add(notice)
        if not meter.takes(notice):
            lengths.append(meter.held)
            meter = _Meter(room, later)
            if not meter.takes(notice):
                raise _too_small()
    return frame._replace(lengths=[*lengths, meter.held], due=due)


def _first_frame(content: DigestContent, room: int) -> _Cuts:
    """What the first part says besides its notices: as much as leaves room for one of them, the report last."""
    first = next(iter(content.notices), None)

    def fits(frame: _Cuts) -> bool:
        meter = _Meter(room, _frame_size(content, frame, part=1))
        return meter.is_within and (first is None or meter.takes(first))

    has_report = content.report_json is not None
    every = len(content.tables)
    sizes = [*((few, every) for few in _FEW), *((0, tables) for tables in _TABLES if tables < every)]
    frames = (_Cuts([], DueCounts(), few, tables, None, has_report) for few, tables in sizes)
    frame = next(filter(fits, frames), None)
    if frame is None:
        raise _too_small()
    if content.report_json is None:
        return frame
    whole = frame._replace(report=json.loads(content.report_json), is_report_omitted=False)
    return whole if fits(whole) else frame


def _frame_size(content: DigestContent, frame: _Cuts, *, part: int) -> int:
    """The bytes of a part without any notice, its numbers as long as can be."""
    numbering = Numbering(part, _WIDEST, _WIDEST, _WIDEST)
    email, machine = _texts(content, numbering, (), frame)
    return len(_message(email=email, machine=machine).encode())


class _Meter:
    """Adds up what a part takes, exactly as it will be set."""

    def __init__(self, room: int, frame: int) -> None:
        self.held = 0
        self._room = room
        self._used = frame
        self._sections: set[str] = set()
        self._owners: set[tuple[str, str | None]] = set()

    @property
    def is_within(self) -> bool:
        """Whether what is taken so far has room."""
        return self._used <= self._room

    def takes(self, notice: Notice) -> bool:
        """Whether the part has room for this notice too; if so it is added."""
        section, owner = section_of(notice), (section_of(notice), notice.username)
        lines = notice_lines(notice)
        if section not in self._sections:
            lines += section_lines(notice)
        if owner not in self._owners:
            lines += owner_lines(notice)
        # In both texts: a comma before the object, a line end behind each line.
        size = _escaped_size(f",{notice_json(notice)}") + _escaped_size("".join(f"{line}\n" for line in lines))
        if self._used + size > self._room:
            return False
        self._sections.add(section)
        self._owners.add(owner)
        self._used += size
        self.held += 1
        return True


def _message(*, email: str, machine: str) -> str:
    # Not escaped to ASCII, which would take six bytes for two or three; the machine's text is ASCII by itself, and the
    # mailbox's holds nothing that is not printable.
    return json.dumps({"default": machine, "email": email}, ensure_ascii=False, separators=(",", ":"))


def _escaped_size(text: str) -> int:
    """The bytes that a text takes inside a JSON string."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def _too_small() -> ValueError:
    return ValueError("the limit is too small for a digest with a single notice in a part")
