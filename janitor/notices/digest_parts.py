"""Splits a digest into numbered parts that SNS takes: every notice whole, in exactly one part.

Three passes over the notices. The first finds what has to be done today; the second adds up their bytes and finds
where to cut, so that the number of parts is known; the third renders one part at a time. The size of a part is that of
the one JSON object that SNS gets, in which both texts are strings: their quotes, backslashes and line ends count twice.

A text for a chat app goes with the first part only: it is about the whole digest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from janitor.notices.chat_text import encode_for_chat, summarize_digest
from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_json import build_digest_json, build_notice_json
from janitor.notices.digest_text import (
    WIDEST_NUMBER,
    Numbering,
    OpeningLimits,
    closing_lines,
    due_lines,
    limit_opening,
    opening_lines,
    owner_lines,
    section_lines,
    section_title,
    token_lines,
)
from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import Notice
from janitor.notices.subject_line import DueCounts, digest_subject
from janitor.notices.today import Today, find_today
from janitor.sinks.sns import Message

# The most that SNS takes, in bytes: 256 KiB for the message and everything that goes with it.
LIMIT = 262_144

# Bytes kept free in each part, for its subject, and for lines that wrap differently because of its numbers.
_SLACK = 1_024

# How many entries of each list are named: the first of these numbers that leaves room for a notice. 0: only counted.
_NAME_LIMITS = (10, 3, 0)
# How many of several tables are described, where there is no room for all of them.
_TABLE_LIMITS = (100, 30, 10, 0)


@dataclass(frozen=True, slots=True)
class DigestPart:
    """One message of a digest, and the notices in it.

    Attributes:
        message: a text for mailboxes, perhaps one for a chat app, and JSON for every other protocol; its size is what
            `split_digest` measures.
        notices: those in this part, in both texts.
    """

    message: Message
    notices: tuple[Notice, ...]


class _Split(NamedTuple):
    """Where to cut, and what goes into the first part.

    Attributes:
        lengths: how many notices each part has.
        due: how many notices there are.
        today: what has to be done today.
        max_named: how many entries of each list are named in the JSON.
        tables: how many tables are described there, where there are several.
        opening: how much of both the text for mailboxes has.
        report: the decoded report that the first part has, or None.
        is_report_omitted: whether there is a report that has no room in the first part.
    """

    lengths: list[int]
    due: DueCounts
    today: Today
    max_named: int
    tables: int
    opening: OpeningLimits
    report: Any
    is_report_omitted: bool


def split_digest(content: DigestContent, limit: int = LIMIT) -> Iterator[DigestPart]:
    """Split the digest into numbered parts of at most `limit` bytes; one part if that is enough.

    Raises:
        ValueError: a single notice does not fit, which takes a limit far below that of SNS.
    """
    chat = _build_chat_text(content)
    split = _find_cuts(content, limit - _chat_size(chat))
    notices = iter(content.notices)
    total, parts = len(content.notices), len(split.lengths)
    for part, length in enumerate(split.lengths, start=1):
        numbering = Numbering(part, parts, length, total)
        chat_of_part = chat if part == 1 else None
        yield _make_part(content, numbering, tuple(islice(notices, length)), split, chat_of_part)


def count_parts(content: DigestContent, limit: int = LIMIT) -> int:
    """Count the parts that `split_digest` makes, without rendering their notices.

    Raises:
        ValueError: as `split_digest` does.
    """
    return len(_find_cuts(content, limit - _chat_size(_build_chat_text(content))).lengths)


def _build_chat_text(content: DigestContent) -> str | None:
    return encode_for_chat(summarize_digest(content), "digest") if content.has_chat_text else None


def _make_part(
    content: DigestContent, numbering: Numbering, notices: tuple[Notice, ...], split: _Split, chat: str | None
) -> DigestPart:
    email, json_text = _render(content, numbering, notices, split)
    message = Message(
        body=encode_message(email=email, json_text=json_text, chat=chat),
        subject=digest_subject(content, split.due, part=numbering.part, parts=numbering.parts),
        group_id=group_id("+".join(table.table for table in content.tables) or content.table),
        # No other part has the same text: it holds the table, the time of the run and the part's number.
        deduplication_id=deduplication_id(sha256(json_text.encode()).hexdigest()),
        is_structured=True,
    )
    return DigestPart(message, notices)


def _render(
    content: DigestContent, numbering: Numbering, notices: tuple[Notice, ...], split: _Split
) -> tuple[str, str]:
    lines = [
        *opening_lines(content, split.today, numbering, split.opening),
        *due_lines(notices),
        *closing_lines(content, numbering),
    ]
    json_text = build_digest_json(
        content,
        numbering,
        notices,
        report=split.report if numbering.part == 1 else None,
        is_report_omitted=split.is_report_omitted,
        max_named=split.max_named,
        tables=split.tables,
        today=split.today,
    )
    return "".join(f"{line}\n" for line in lines), json_text


def _find_cuts(content: DigestContent, limit: int) -> _Split:
    room = limit - _SLACK
    frame = _choose_frame(content, room)
    later_frame_size = _frame_size(content, frame, part=WIDEST_NUMBER)
    due, lengths = DueCounts(urgent_within=content.urgent_within), []
    meter = _Meter(room, _frame_size(content, frame, part=1))
    for notice in content.notices:
        due.add(notice)
        if not meter.add_if_room(notice):
            lengths.append(meter.notice_count)
            meter = _Meter(room, later_frame_size)
            if not meter.add_if_room(notice):
                raise _too_small_error()
    return frame._replace(lengths=[*lengths, meter.notice_count], due=due)


def _choose_frame(content: DigestContent, room: int) -> _Split:
    """Choose what the first part says besides its notices: as much as leaves room for one; the report last."""
    first = next(iter(content.notices), None)
    today = find_today(content)

    def fits(frame: _Split) -> bool:
        meter = _Meter(room, _frame_size(content, frame, part=1))
        return meter.fits_frame and (first is None or meter.add_if_room(first))

    has_report = content.report_json is not None
    table_count = len(content.tables)
    sizes = [
        *((max_named, table_count) for max_named in _NAME_LIMITS),
        *((0, tables) for tables in _TABLE_LIMITS if tables < table_count),
    ]
    frames = (
        _Split(
            lengths=[],
            due=DueCounts(),
            today=today,
            max_named=max_named,
            tables=tables,
            opening=limit_opening(content, today, max_named, tables),
            report=None,
            is_report_omitted=has_report,
        )
        for max_named, tables in sizes
    )
    frame = next(filter(fits, frames), None)
    if frame is None:
        raise _too_small_error()
    if content.report_json is None:
        return frame
    with_report = frame._replace(report=json.loads(content.report_json), is_report_omitted=False)
    return with_report if fits(with_report) else frame


def _frame_size(content: DigestContent, frame: _Split, *, part: int) -> int:
    """The size of a part without any notice, in bytes, with numbers as long as they can be."""
    numbering = Numbering(part, WIDEST_NUMBER, WIDEST_NUMBER, WIDEST_NUMBER)
    email, json_text = _render(content, numbering, (), frame)
    return len(encode_message(email=email, json_text=json_text).encode())


def _chat_size(chat: str | None) -> int:
    """What a text for a chat app adds to a part, in bytes."""
    empty = encode_message(email="", json_text="")
    return len(encode_message(email="", json_text="", chat=chat).encode()) - len(empty.encode())


class _Meter:
    """Adds up the size of a part, exactly as it will be rendered."""

    def __init__(self, room: int, frame: int) -> None:
        self.notice_count = 0
        self._room = room
        self._used = frame
        self._sections: set[str] = set()
        self._owners: set[tuple[str, str | None]] = set()

    @property
    def fits_frame(self) -> bool:
        """Whether the part is within the limit so far."""
        return self._used <= self._room

    def add_if_room(self, notice: Notice) -> bool:
        """Add the notice if the part has room for it; return whether it has."""
        section, owner = section_title(notice), (section_title(notice), notice.username)
        lines = token_lines(notice)
        if section not in self._sections:
            lines += section_lines(notice)
        if owner not in self._owners:
            lines += owner_lines(notice)
        # In both texts: a comma before the object, a line end behind each line.
        size = _escaped_size(f",{build_notice_json(notice)}") + _escaped_size("".join(f"{line}\n" for line in lines))
        if self._used + size > self._room:
            return False
        self._sections.add(section)
        self._owners.add(owner)
        self._used += size
        self.notice_count += 1
        return True


def encode_message(*, email: str, json_text: str, chat: str | None = None) -> str:
    """Encode a structured message: a text for each protocol. Chat apps subscribe by HTTPS."""
    # Not escaped to ASCII, which would take six bytes for two or three. The JSON texts are ASCII anyway, and the e-mail
    # holds printable characters only.
    texts = {"default": json_text, "email": email} | ({} if chat is None else {"https": chat})
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))


def _escaped_size(text: str) -> int:
    """The size of a text inside a JSON string, in bytes."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def _too_small_error() -> ValueError:
    return ValueError("the limit is too small for a digest with a single notice in a part")
