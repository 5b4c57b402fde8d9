"""The report, `janitor.report/v1`. Outside scripts read these keys: every one is always present.

`janitor schema report` prints the JSON Schema of these models. Times are UTC, durations whole seconds.
"""

import datetime as dt
from enum import StrEnum

import msgspec

from janitor.report.changes import Changes
from janitor.report.encode import Part
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import BOTH_GATES, Dialect, Gate
from janitor.tokens.lockout import Remedy

SCHEMA = "janitor.report/v1"

LIST_COMMAND = "token list"
# The codes of warnings that a pattern fits no row. In a run of several tables each holds only if it holds for each.
PROTECTS_NOBODY = "protects-nobody"
MATCHES_NOTHING = "matches-nothing"
# The code of an error, and the guard that comes last: somebody has to say yes.
NOT_CONFIRMED = "not-confirmed"


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"


class Run(Part, frozen=True):
    """The run itself."""

    id: str
    command: str
    dry_run: bool
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime
    duration_seconds: float
    version: str

    @property
    def only_reads(self) -> bool:
        """Whether its command never deletes."""
        return self.command in ("scan", LIST_COMMAND)


class TablePart(Part, frozen=True):
    """Which table it is."""

    name: str
    region: str | None
    account_id: str | None
    endpoint: str | None


class PolicyPart(Part, frozen=True):
    """The rules of the run; the dialect is null if the tables have different ones, or it is not known.

    `gates` are those that count, `unlock_after_seconds` is null without --unlock-after. `users` and `fingerprints` are
    the patterns of --user and --fingerprint that a sweep or a plan is limited to; shell patterns, empty for no limit.
    `include` are the kinds of rows that a sweep deletes besides stale ones; `notice_age_seconds` is how old a row's
    notice has to be before it is deleted, null without --require-notice.
    """

    dialect: Dialect | None
    thresholds_seconds: list[int]
    grace_seconds: int
    as_of: dt.datetime | None
    gates: tuple[Gate, ...] = BOTH_GATES
    unlock_after_seconds: int | None = None
    users: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    notice_age_seconds: int | None = None


class Counts(Part, frozen=True):
    """Rows by state: the seven states add up to `scanned`."""

    scanned: int = 0
    active: int = 0
    expiring: int = 0
    expired: int = 0
    stale: int = 0
    permanent: int = 0
    malformed: int = 0
    legacy: int = 0


class Deletion(Part, frozen=True):
    """What was deleted; all zero for a run that only reports.

    `planned` are the rows of the plan; the four outcomes after `protected` add up to it, except for rows for which no
    delete was sent. `waiting` are rows that would be planned if their notice were old enough (--require-notice),
    `left_out` those that would be if they matched --user and --fingerprint.
    `plan` and `archive` are where those files are, null if none was kept. `archive_place` is where a run that deletes
    writes its archive: the file, or the folder or prefix in which it gets a name of its own; null with --no-archive.
    `restore_command` undoes the deletes; in a dry run it has capitals for what is not known yet. Null without an
    archive.
    """

    enabled: bool = False
    planned: int = 0
    protected: int = 0
    deleted: int = 0
    changed: int = 0
    already_gone: int = 0
    failed: int = 0
    waiting: int = 0
    left_out: int = 0
    plan: str | None = None
    archive: str | None = None
    archive_place: str | None = None
    restore_command: str | None = None


class GuardPart(Part, frozen=True):
    """The verdict of a guard, a reason to refuse to delete: what it found and its limit, in words for people.

    `passed` is null where it was not checked: nothing is planned, or this run cannot know. `message` says why it
    refuses, or would in a dry run, and what to do.
    """

    name: str
    figure: str
    limit: str
    passed: bool | None = None
    message: str | None = None


class EstimatePart(Part, frozen=True):
    """What the real run will cost, as a dry run estimates it.

    It reads what the dry run read, look-ups of owners included, and deletes the planned rows, of each of which every
    index of the table has a copy.
    """

    read_units: float
    write_units: float
    cost_usd: float
    seconds: float


class CommandOptions(Part, frozen=True):
    """The options of the run that the next commands repeat, besides those that the report says in other keys.

    Words for a shell, each with a space before it: `connection` is for every command, `naming` for those that name rows
    too, `protection` for those that read the table, `reading` for those that read all of it, `narrowing` for those that
    are limited to the same rows, `deletion` for those that delete. `plan` is the plan that is carried out.

    `left_out` are options that decide who is told what, and are not shown: they may hold a secret. `withheld` are those
    of the others that cannot be shown as they are; without them a command could do more than the run, so none is shown.
    """

    connection: str = ""
    naming: str = ""
    protection: str = ""
    reading: str = ""
    narrowing: str = ""
    deletion: str = ""
    plan: str | None = None
    left_out: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


class StepPart(Part, frozen=True):
    """What to do next: a sentence, and commands for the shell, complete as they are to be typed."""

    advice: str
    commands: tuple[str, ...] = ()


class Capacity(Part, frozen=True):
    """What the run cost the table. `requests` counts retries too; `cost_usd` is at the on-demand price given."""

    read_units: float
    write_units: float
    requests: int
    pages: int
    throttled: int
    cost_usd: float


class Clock(Part, frozen=True):
    """The local clock minus the server's; null when the server sent no date."""

    skew_seconds: int | None


class Finding(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row worth a line: of every state but active, or with reasons; `token list` lists all active rows.

    Of the row's key it holds nothing but its fingerprint and its row name. A large table has millions of findings, so
    they are kept small: the garbage collector does not track them.

    Attributes:
        fingerprint: identifies the token; a hashed table may have two rows of it.
        row_name: identifies this row; every command that takes a fingerprint takes it too.
        expires_at, created_at: null if the row has no such date, or one outside the years 1 to 9999.
        reasons: short names for what is wrong with its date, and with the row besides (`janitor.tokens.reasons`).
        expiration: the date as stored, in whole seconds (or whatever unit a malformed row used).
        probably_meant: the time that a malformed date was probably meant to be.
        meaning: what the state means for whoever holds the token.
        table: the label of its table, in a run of several; null in a run of one.
        last_seen: when LISA last counted a prompt of the owner; null if it never did, or without --last-seen.
        why: of a row in the plan, why a sweep deletes it; of a protected one, why it would. Null for any other row.
        groups: whose rights the token has, at most 100 of them; null if they are not stored as texts.
    """

    fingerprint: str
    row_name: str
    state: State
    accepted_by: tuple[Gate, ...]
    expires_at: dt.datetime | None
    expiration: int | None
    seconds_to_expiry: int | None
    name: str | None
    username: str | None
    created_by: str | None
    created_at: dt.datetime | None
    system: bool
    token_uuid: str | None
    protected_by: str | None
    reasons: tuple[str, ...]
    outcome: DeletionOutcome | None
    probably_meant: dt.datetime | None
    meaning: str
    table: str | None = None
    groups: tuple[str, ...] | None = ()
    last_seen: dt.datetime | None = None
    why: str | None = None


class NoticesPart(Part, frozen=True):
    """What was announced: how many notices were due, sent and failed; digests published; where that is remembered.

    A notice counts once for each destination, the topic and each service of --notify.
    `left` are notices that were left to the next run, because another run was announcing; `long_expired` are tokens
    that are only counted, because they had expired for longer than the grace at this topic's first digest about the
    table.
    """

    due: int = 0
    sent: int = 0
    failed: int = 0
    left: int = 0
    long_expired: int = 0
    digests: int = 0
    state: str | None = None


# Each owner counts once, and who was counted is kept in memory meanwhile.
MAX_COUNTED_OWNERS = 10_000


class DestinationPart(Part, frozen=True):
    """What one destination of notices got, or in a dry run would get from a real one.

    Attributes:
        label: the topic's ARN, or the service of --notify without its secrets.
        digests: how many digests.
        digest_notices: how many notices they hold.
        owners: how many owners get messages of their own, and `owner_messages` how many messages. Owners are counted up
            to 10,000 a table, here and below; there may be more.
        named_owners: the first of them, at most 10.
        owners_without_address: how many owners get none, because no mail address of theirs is known;
            `named_without_address` are the first 10.
        are_owners_told: whether messages to owners are sent at all (--per-token).
    """

    label: str
    digests: int = 0
    digest_notices: int = 0
    owners: int = 0
    owner_messages: int = 0
    named_owners: list[str] = msgspec.field(default_factory=list)
    owners_without_address: int = 0
    named_without_address: list[str] = msgspec.field(default_factory=list)
    are_owners_told: bool = False


class RecipientsPart(Part, frozen=True):
    """Who is told of the run; `nobody_because` says why nobody is.

    With `is_forecast` nobody was told: a dry run says who would be told of a real one.
    """

    destinations: list[DestinationPart] = msgspec.field(default_factory=list)
    nobody_because: str | None = None
    is_forecast: bool = False


class ForecastDay(Part, frozen=True):
    """How many tokens expire on a day (UTC), and whether that is an unusual share."""

    day: dt.date
    expiring: int
    unusual: bool


class ListingPart(Part, frozen=True):
    """Which rows were asked for: those with any of a key's values, or all if it is empty; patterns as in a shell.

    With `only_findings` active rows are among them only if they have `reasons`, as in a scan. `sort` is null for the
    most urgent first. `chosen` is how many rows match, listed or not.
    """

    only_findings: bool
    states: list[State]
    users: list[str]
    names: list[str]
    groups: list[str]
    sort: str | None
    chosen: int


class IdleOwner(Part, frozen=True):
    """An owner whose token works and who was not seen for long: `last_seen` is null if LISA never counted a prompt."""

    username: str
    last_seen: dt.datetime | None


class IdlePart(Part, frozen=True):
    """The idle owners of the listed tokens, by name: not seen for `after_seconds`, nor given the token within them."""

    after_seconds: int
    owners: list[IdleOwner]


class Remark(Part, frozen=True):
    """Something that went wrong, or that the reader should know: where, a short name for scripts, a sentence."""

    where: str
    code: str
    message: str


class LockingRow(Part, frozen=True):
    """A row that keeps its owner from a new token: its row name, its state, and what would remove it.

    `accepted_by` is empty, or names MCP Workbench: it may take the key of a row that the API rejects.
    """

    row_name: str
    state: State
    remedy: Remedy
    accepted_by: tuple[Gate, ...] = ()


class LockedOutOwner(Part, frozen=True):
    """An owner whom LISA lets create no token: it asks that a user has no row, and its API accepts none of these.

    `rows` are some of the owner's rows, at least one of each state, remedy and `accepted_by`; `table` is the table's
    label in a run of several.
    """

    username: str
    rows: list[LockingRow]
    rows_omitted: int = 0
    table: str | None = None


class TableReport(Part, frozen=True, kw_only=True):
    """What a run reports about one table, without its findings, which are listed with those of all tables.

    `label` is how findings and messages name it: its name, with region and account if another table has the same.
    `named` is what the user calls it, table or deployment, and what metrics call it. `source` is the export or dump
    that was read in its place (--source), null for the table itself; if the source does not say which table its rows
    are of, `name` is the source's own and region and account are null. The times are those of its own turn. Its
    `notices.digests` is 0, because a digest is about the whole run. `locked_out` are the owners of `lockouts`.
    `active_findings` of its findings are active rows. `guards` are those of a sweep that read the whole table.
    `estimate` is of a dry run that plans deletes.
    """

    label: str
    named: str | None = None
    name: str
    region: str | None
    account_id: str | None
    endpoint: str | None
    source: str | None = None
    policy: PolicyPart
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime
    duration_seconds: float
    counts: Counts
    deletion: Deletion
    guards: list[GuardPart] = msgspec.field(default_factory=list)
    estimate: EstimatePart | None = None
    options: CommandOptions = msgspec.field(default_factory=CommandOptions)
    capacity: Capacity
    clock: Clock
    active_findings: int = 0
    findings_omitted: int
    locked_out: list[str]
    lockouts: list[LockedOutOwner] = msgspec.field(default_factory=list)
    locked_out_unchecked: int
    idle: IdlePart | None = None
    changes: Changes | None = None
    notices: NoticesPart | None = None
    forecast: list[ForecastDay]
    errors: list[Remark]
    warnings: list[Remark]

    @property
    def source_name(self) -> str | None:
        """The source as sentences name it."""
        return "standard input" if self.source == "-" else self.source


class Report(Part, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The report of one run: each of its tables, and the sums of all."""

    run: Run
    tables: list[TableReport]
    policy: PolicyPart
    counts: Counts
    deletion: Deletion
    estimate: EstimatePart | None = None
    capacity: Capacity
    clock: Clock
    findings: list[Finding]
    active_findings: int = 0
    findings_omitted: int
    listing: ListingPart | None = None
    locked_out: list[str]
    lockouts: list[LockedOutOwner] = msgspec.field(default_factory=list)
    locked_out_unchecked: int
    idle: IdlePart | None = None
    changes: Changes | None = None
    notices: NoticesPart | None = None
    recipients: RecipientsPart = msgspec.field(default_factory=RecipientsPart)
    forecast: list[ForecastDay]
    next_steps: list[StepPart] = msgspec.field(default_factory=list)
    errors: list[Remark]
    warnings: list[Remark]

    @property
    def only_table(self) -> TableReport | None:
        """The table of a run of one; None for a run of several."""
        return self.tables[0] if len(self.tables) == 1 else None

    @property
    def is_of_several(self) -> bool:
        """Whether the run has several tables."""
        return len(self.tables) > 1

    @property
    def title(self) -> str:
        """What it is of: the table's name, or how many tables."""
        return self.tables[0].name if len(self.tables) == 1 else f"{len(self.tables):,} tables"


def count_reportable(counts: Counts, active_findings: int, listing: ListingPart | None) -> int:
    """How many rows a report would list without a bound: those that were asked for, or all findings."""
    return counts.scanned - counts.active + active_findings if listing is None else listing.chosen
