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
    """The run itself.

    Attributes:
        id: identifies the run, in logs and in names of archives too.
        command: what ran: `scan`, `sweep`, `apply`, `token list`.
        dry_run: whether it was a run that deletes, told to delete nothing.
        outcome: how it ended.
        started_at: when it began.
        finished_at: when it ended.
        duration_seconds: how long it took.
        version: the version of janitor.
    """

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
    """Which table it is.

    Attributes:
        name: its name.
        region: its region.
        account_id: its account.
        endpoint: the endpoint that was asked, null for AWS's own.
    """

    name: str
    region: str | None
    account_id: str | None
    endpoint: str | None


class PolicyPart(Part, frozen=True):
    """The rules of the run.

    Attributes:
        dialect: which LISA reads the table; null if the tables have different ones, or it is not known.
        thresholds_seconds: how long before its expiry a token is announced; the longest makes it `expiring`.
        grace_seconds: how long after its expiry a token counts as `stale`.
        as_of: the time that rows were judged as of; null for the time of the run.
        gates: the parts of LISA that count.
        unlock_after_seconds: the grace of rows that lock their owner out; null without --unlock-after.
        users: the patterns of --user that a sweep or a plan is limited to; empty for no limit.
        fingerprints: likewise those of --fingerprint.
        include: the kinds of rows that a sweep deletes besides stale ones.
        notice_age_seconds: how old a row's notice has to be before it is deleted; null without --require-notice.
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
    """Rows by state: the seven states add up to `scanned`.

    Attributes:
        scanned: how many rows were read.
        active: rows that LISA accepts, and that expire beyond the horizon.
        expiring: rows that expire within the largest threshold.
        expired: rows that have expired, within the grace.
        stale: rows that expired longer ago than the grace; a sweep deletes them.
        permanent: rows that never expire.
        malformed: rows whose date is broken.
        legacy: rows whose form the API of this LISA refuses for good; MCP Workbench may still accept them.
    """

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

    Attributes:
        enabled: whether the run deletes.
        planned: rows of the plan; the four outcomes below add up to it, except for rows for which no delete was sent.
        protected: rows that would be planned if nothing protected them.
        deleted: rows that were deleted.
        changed: planned rows that had changed when their turn came, and stay.
        already_gone: planned rows that were gone when their turn came.
        failed: planned rows that could not be deleted.
        waiting: rows that would be planned if their notice were old enough (--require-notice).
        left_out: rows that would be planned if they matched --user and --fingerprint.
        plan: where the plan is; null if none was kept.
        archive: where the archive is; null if none was written.
        archive_place: where a run that deletes writes its archive, the file, or the folder or prefix in which it gets a
            name of its own; null with --no-archive.
        restore_command: the command that undoes the deletes; in a dry run it has capitals for what is not known yet;
            null without an archive.
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
    """The verdict of a guard, a reason to refuse to delete.

    Attributes:
        name: the guard's name.
        figure: what it found, in words for people.
        limit: what it allows, in words for people.
        passed: its verdict; null where it was not checked: nothing is planned, or this run cannot know.
        message: why it refuses, or would in a dry run, and what to do.
    """

    name: str
    figure: str
    limit: str
    passed: bool | None = None
    message: str | None = None


class EstimatePart(Part, frozen=True):
    """About what the real run will cost, as a dry run estimates it.

    It reads what the dry run read, look-ups of owners included, and deletes the planned rows, of each of which every
    index of the table has a copy.

    Attributes:
        read_units: read units.
        write_units: write units.
        cost_usd: dollars, at the prices given.
        seconds: how long it takes.
    """

    read_units: float
    write_units: float
    cost_usd: float
    seconds: float


class CommandOptions(Part, frozen=True):
    """The options of the run that the next commands repeat, besides those that the report says in other keys.

    Words for a shell, each with a space before it.

    Attributes:
        connection: those for every command.
        naming: those for commands that name rows too.
        protection: those for commands that read the table.
        reading: those for commands that read all of it.
        narrowing: those for commands that are limited to the same rows.
        deletion: those for commands that delete.
        plan: the plan that is carried out.
        left_out: options that decide who is told what, and are not shown: they may hold a secret.
        withheld: others that cannot be shown as they are; without them a command could do more than the run, so none is
            shown.
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
    """What to do next.

    Attributes:
        advice: a sentence.
        commands: commands for the shell, complete as they are to be typed.
    """

    advice: str
    commands: tuple[str, ...] = ()


class Capacity(Part, frozen=True):
    """What the run cost the table.

    Attributes:
        read_units: read units that were used.
        write_units: write units that were used.
        requests: requests to DynamoDB, retries included.
        pages: pages that were read.
        throttled: requests that DynamoDB throttled.
        cost_usd: dollars, at the on-demand price given.
    """

    read_units: float
    write_units: float
    requests: int
    pages: int
    throttled: int
    cost_usd: float


class Clock(Part, frozen=True):
    """How far the clock of this machine is off.

    Attributes:
        skew_seconds: the local clock minus the server's; null when the server sent no date.
    """

    skew_seconds: int | None


class Finding(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row worth a line: of every state but active, or with reasons; `token list` lists all active rows.

    Of the row's key it holds nothing but its fingerprint and its row name. A large table has millions of findings, so
    they are kept small: the garbage collector does not track them.

    Attributes:
        fingerprint: identifies the token; a hashed table may have two rows of it.
        row_name: identifies this row; every command that takes a fingerprint takes it too.
        state: the row's state.
        accepted_by: the gates of LISA that still accept the token.
        expires_at: when it expires; null if the row has no such date, or one outside the years 1 to 9999.
        expiration: the date as stored, in whole seconds (or whatever unit a malformed row used).
        seconds_to_expiry: from the time of judgement to the expiry; negative once it has expired.
        name: the token's name.
        username: its owner.
        created_by: who made it.
        created_at: when it was made; null if the row has no such date, or one outside the years 1 to 9999.
        system: whether it is a system token.
        token_uuid: LISA's own name of it.
        protected_by: what keeps the row from being deleted.
        reasons: short names for what is wrong with its date, and with the row besides.
        outcome: what became of the row in a run that deletes.
        probably_meant: the time that a malformed date was probably meant to be.
        meaning: what the state means for whoever holds the token.
        table: the label of its table, in a run of several; null in a run of one.
        groups: whose rights the token has, at most 100 of them; null if they are not stored as texts.
        last_seen: when LISA last counted a prompt of the owner; null if it never did, or without --last-seen.
        why: of a row in the plan, why a sweep deletes it; of a protected one, why it would; null for any other row.
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
    """What was announced.

    A notice counts once for each destination, the topic and each service of --notify.

    Attributes:
        due: how many notices were due.
        sent: how many were sent.
        failed: how many could not be sent; the next run tries again.
        left: how many were left to the next run, because another run was announcing.
        long_expired: tokens that are only counted, because they had expired for longer than the grace at this topic's
            first digest about the table.
        digests: how many digests were published.
        state: where it is remembered what was announced.
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
        owners: how many owners get messages of their own; counted up to 10,000 a table, there may be more.
        owner_messages: how many messages they get.
        named_owners: the first of them, at most 10.
        owners_without_address: how many owners get none, because no mail address of theirs is known; counted likewise.
        named_without_address: the first of those, at most 10.
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
    """Who is told of the run.

    Attributes:
        destinations: what each destination got.
        nobody_because: why nobody is told; null if somebody is.
        is_forecast: whether nobody was told: a dry run says who would be told of a real one.
    """

    destinations: list[DestinationPart] = msgspec.field(default_factory=list)
    nobody_because: str | None = None
    is_forecast: bool = False


class ForecastDay(Part, frozen=True):
    """How many tokens expire on a day.

    Attributes:
        day: the day (UTC).
        expiring: how many tokens expire.
        unusual: whether that is an unusual share.
    """

    day: dt.date
    expiring: int
    unusual: bool


class ListingPart(Part, frozen=True):
    """Which rows were asked for: those with any of a key's values, or all if it is empty; patterns as in a shell.

    Attributes:
        only_findings: whether active rows are listed only if they have reasons, as in a scan.
        states: the states asked for.
        users: the patterns of --user.
        names: the patterns of --name.
        groups: the patterns of --group.
        sort: how the rows are sorted; null for the most urgent first.
        chosen: how many rows match, listed or not.
    """

    only_findings: bool
    states: list[State]
    users: list[str]
    names: list[str]
    groups: list[str]
    sort: str | None
    chosen: int


class IdleOwner(Part, frozen=True):
    """An owner whose token works and who was not seen for long.

    Attributes:
        username: the owner.
        last_seen: when LISA last counted a prompt; null if it never did.
    """

    username: str
    last_seen: dt.datetime | None


class IdlePart(Part, frozen=True):
    """The idle owners of the listed tokens.

    Attributes:
        after_seconds: how long an owner was not seen, nor given the token, to count as idle.
        owners: the owners by name.
    """

    after_seconds: int
    owners: list[IdleOwner]


class Remark(Part, frozen=True):
    """Something that went wrong, or that the reader should know.

    Attributes:
        where: the part of the run that it is about.
        code: a short name for scripts.
        message: a sentence.
    """

    where: str
    code: str
    message: str


class LockingRow(Part, frozen=True):
    """A row that keeps its owner from a new token.

    Attributes:
        row_name: the row's name.
        state: its state.
        remedy: what would remove it.
        accepted_by: empty, or MCP Workbench, which may take the key of a row that the API rejects.
    """

    row_name: str
    state: State
    remedy: Remedy
    accepted_by: tuple[Gate, ...] = ()


class LockedOutOwner(Part, frozen=True):
    """An owner whom LISA lets create no token: it asks that a user has no row, and its API accepts none of these.

    Attributes:
        username: the owner.
        rows: some of the owner's rows, at least one of each state, remedy and `accepted_by`.
        rows_omitted: how many more rows there are.
        table: the table's label in a run of several.
    """

    username: str
    rows: list[LockingRow]
    rows_omitted: int = 0
    table: str | None = None


class TableReport(Part, frozen=True, kw_only=True):
    """What a run reports about one table, without its findings, which are listed with those of all tables.

    Attributes:
        label: how findings and messages name it: its name, with region and account if another table has the same.
        named: what the user calls it, table or deployment, and what metrics call it.
        name: the table's name, or the source's own if that does not say of which table its rows are.
        region: its region; null if the source does not say it.
        account_id: its account; null if the source does not say it.
        endpoint: the endpoint that was asked, null for AWS's own.
        source: the export or dump that was read in its place (--source); null for the table itself.
        policy: the rules for this table.
        outcome: how its turn ended.
        started_at: when its turn began.
        finished_at: when its turn ended.
        duration_seconds: how long its turn took.
        counts: its rows by state.
        deletion: what was deleted of it.
        guards: the guards of a sweep that read the whole table.
        estimate: about what the real run will cost; of a dry run that plans deletes, else null.
        options: the options that the next commands repeat.
        capacity: what its turn cost.
        clock: how far the clock of this machine is off.
        active_findings: how many of its findings are active rows.
        findings_omitted: how many of its findings are not listed.
        locked_out: the owners of `lockouts`.
        lockouts: owners whom LISA lets create no token until their rows are gone.
        locked_out_unchecked: how many owners were not looked up; at most 500 are looked up in a run.
        idle: owners who were not seen for long; null without --last-seen, and where not every owner could be looked up.
        changes: what changed since the last run; null without a state store, and on the first run with one.
        notices: what was announced about it; `digests` is 0 here, because a digest is about the whole run.
        forecast: how many tokens expire on each of the coming days.
        errors: what went wrong.
        warnings: what the reader should know.
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
    """The report of one run: each of its tables, and the sums of all.

    Attributes:
        run: the run itself.
        tables: each table.
        policy: the rules of the run.
        counts: rows by state, of all tables.
        deletion: what was deleted, of all tables.
        estimate: about what the real run will cost; of a dry run that plans deletes, else null.
        capacity: what the run cost.
        clock: how far the clock of this machine is off.
        findings: rows worth a line, at most --max-findings, most urgent first but some of every state.
        active_findings: how many findings are active rows.
        findings_omitted: how many findings are not listed.
        listing: which rows were asked for; null if no filter was given.
        locked_out: the owners of `lockouts`.
        lockouts: owners whom LISA lets create no token until their rows are gone.
        locked_out_unchecked: how many owners were not looked up; at most 500 are looked up in a run.
        idle: owners who were not seen for long; null without --last-seen, and where not every owner could be looked up.
        changes: what changed since the last run; null without a state store, and on the first run with one.
        notices: what was announced; null where nobody is to be told and nothing remembered.
        recipients: who is told of the run.
        forecast: how many tokens expire on each of the coming days.
        next_steps: what to do next.
        errors: what went wrong.
        warnings: what the reader should know.
    """

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
