"""Prepares the scan of a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from janitor.errors import ConfigurationError
from janitor.readers.interface import Reader, Rules
from janitor.readers.listing import Listing
from janitor.run.spec import OwnerLookup, Prices, TableSpec
from janitor.settings.output import CHATBOT
from janitor.settings.scan import FilterSettings, ScanCommand
from janitor.settings.setting import flag
from janitor.stopping import Stop
from janitor.tokens.narrowing import NO_NARROWING, Narrowing
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.budgets import log_limits
from janitor.wiring.command_options import add_filters, describe_scan_options
from janitor.wiring.destinations import check_destinations, has_destination, name_destination_flag
from janitor.wiring.last_seen import check_last_seen, make_last_seen
from janitor.wiring.monitoring import list_metric_files
from janitor.wiring.open_table import OpenTable, TableInRun, find_table_warnings, make_owner_reader, open_table
from janitor.wiring.outlets import check_reports
from janitor.wiring.policy import TableRunParameters, find_policy_warnings, make_policy, read_fingerprint_key
from janitor.wiring.progress import make_progress
from janitor.wiring.readers import check_readers, count_threads, make_reader
from janitor.wiring.run_spec import PreparedTable
from janitor.wiring.stores import check_state, has_store, list_state_files

_NO_FILTERS = FilterSettings()

if TYPE_CHECKING:
    from janitor.settings.output import NoticeSettings, StateSettings
    from janitor.settings.token_read import ListCommand, ListingSettings
    from janitor.wiring.announcer import TableNotices


def prepare_scan(
    settings: ScanCommand,
    run_id: str,
    stop: Stop,
    table_in_run: TableInRun | None = None,
    *,
    is_dry_run: bool = False,
    filters: FilterSettings = _NO_FILTERS,
) -> PreparedTable:
    """Find the table and prepare its scan. No row is read yet.

    A dry run notifies nobody and remembers nothing.

    Args:
        settings: those of the scan.
        run_id: the run's id.
        stop: says whether the run was asked to stop.
        table_in_run: the table's place in a run of several.
        is_dry_run: whether nothing is announced or remembered.
        filters: which findings are listed.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    check_scan(settings, filters)
    if settings.source.source is not None:
        from janitor.wiring.source import prepare_source

        return _apply_filters(prepare_source(settings, run_id, stop), filters)
    opened, parameters = open_judged_table(
        settings, run_id, table_in_run, unlock_after=settings.unlock.unlock_after, is_dry_run=is_dry_run
    )
    table_notices = set_up_notices(settings.notices, settings.state, opened, stop, parameters)
    reader = make_reader(opened, settings.limits, settings.table, stop)
    prepared = prepare_table(
        opened, stop, parameters, reader, rows=opened.table.item_count, prices=Prices(settings.limits.read_price, 0.0)
    )
    prepared = prepared.with_spec(
        unused_patterns=UnusedPatterns(parameters.policy.protect_users),
        announcer=table_notices.announcer if table_notices else None,
        last_seen=make_last_seen(settings.last_seen, opened, parameters.now, stop),
        options=describe_scan_options(settings.table, settings.protection),
        remarks=find_policy_warnings(parameters.policy, (), settings.unlock.unlock_after),
    )
    return _apply_filters(prepared, filters)


def _apply_filters(prepared: PreparedTable, filters: FilterSettings) -> PreparedTable:
    """List only the findings that the filters select; without any, all.

    A listing does not say which patterns of protected users fit nobody.
    """
    if filters == _NO_FILTERS:
        return prepared
    listing = Listing(only_findings=True, users=filters.user, names=filters.name, groups=filters.group)
    rules = structs.replace(prepared.spec.rules, listing=listing)
    options = add_filters(prepared.spec.options, filters)
    return prepared.with_spec(rules=rules, options=options, unused_patterns=UnusedPatterns())


def open_judged_table(
    settings: ScanCommand | ListCommand,
    run_id: str,
    table_in_run: TableInRun | None = None,
    *,
    include: Sequence[str] = (),
    unlock_after: int | None = None,
    narrowing: Narrowing = NO_NARROWING,
    max_wcu: float | None = None,
    is_dry_run: bool,
) -> tuple[OpenTable, TableRunParameters]:
    """Find the table, and by which rules and at what time its rows are judged. No row is read yet.

    Args:
        settings: which table, and the rules.
        run_id: the run's id.
        table_in_run: the table's place in a run of several.
        include: what may be deleted besides stale rows.
        unlock_after: when a row may be deleted that keeps its owner out; None for no sooner than any other, as in a
            listing, which shows rows whoever owns them.
        narrowing: which of the rows that may be deleted are planned.
        max_wcu: write units a second; None for the default.
        is_dry_run: whether nothing is deleted, announced or remembered.
    """
    as_of = settings.policy.as_of
    fingerprint_key = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_table(
        settings.table,
        dialect=settings.policy.dialect,
        connections=count_threads(settings.limits),
        max_rcu=settings.limits.max_rcu,
        max_wcu=max_wcu,
        table_in_run=table_in_run,
    )
    return opened, TableRunParameters(
        run_id=run_id,
        policy=make_policy(
            settings.policy, settings.protection, opened.table.dialect, include, unlock_after, narrowing=narrowing
        ),
        now=opened.earlier_time() if as_of is None else as_of,
        as_of=as_of,
        fingerprint_key=fingerprint_key,
        is_dry_run=is_dry_run,
    )


def set_up_notices(
    notices: NoticeSettings,
    state: StateSettings,
    opened: OpenTable,
    stop: Stop,
    parameters: TableRunParameters,
    *,
    remembers: bool = True,
    requires_notice: bool = False,
    attempts_of: str | None = None,
) -> TableNotices | None:
    """Build the table's announcer and its memory; None if nothing is remembered. Only then are they imported.

    A run as of another time remembers nothing: its findings are not true yet.

    Args:
        notices: who is notified.
        state: where that is remembered.
        opened: the table.
        stop: says whether the run was asked to stop.
        parameters: by which rules and at what time the table is judged.
        remembers: whether the run reads the whole table, as the next run will.
        requires_notice: whether the run deletes only tokens that were announced.
        attempts_of: the name of the work that this run is an attempt of; None if it is not repeated.
    """
    if parameters.as_of is not None or not has_store(state, notices):
        return None
    from janitor.wiring.announcer import build_table_notices

    return build_table_notices(
        notices,
        state,
        opened,
        stop,
        parameters,
        remembers=remembers,
        requires_notice=requires_notice,
        attempts_of=attempts_of,
    )


def check_scan(settings: ScanCommand, filters: FilterSettings = _NO_FILTERS) -> None:
    """Check that settings do not contradict each other, before AWS is asked anything.

    Raises:
        ConfigurationError: they do.
    """
    check_filters(filters)
    if filters != _NO_FILTERS:
        _check_only_lists(settings, filters)
    check_last_seen(settings.last_seen)
    check_readers(settings.limits)
    check_reports(settings.output, [*list_state_files(settings.state), *list_metric_files(settings.notices)])
    check_notices(settings.notices, settings.state, requires_notice=False, as_of=settings.policy.as_of)


def check_filters(filters: FilterSettings | ListingSettings) -> None:
    """Check that no pattern is empty: it would list nothing, and look as if there were nothing.

    Raises:
        ConfigurationError: one is.
    """
    for name in ("user", "name", "group"):
        if "" in getattr(filters, name):
            sentence = f"{filters.spell([name])} has an empty pattern, as of a variable that is not set"
            raise ConfigurationError(sentence, "give a pattern, or leave the option out")


def _check_only_lists(settings: ScanCommand, filters: FilterSettings) -> None:
    """Check that a filtered scan is to do no more than list: half the findings would pass for all of them.

    Raises:
        ConfigurationError: it would.
    """
    chosen = filters.spell([name for name in ("user", "name", "group") if getattr(filters, name)])
    for group, names, does in (
        (settings.notices, ("sns_topic_arn", "notify", "per_token", "metrics", "heartbeat_url"), "notifies"),
        (settings.state, ("state_url",), "remembers"),
        (settings.unlock, ("unlock_after",), "looks up whose rows keep their owner out"),
    ):
        given = [name for name in names if getattr(group, name) != getattr(type(group)(), name)]
        if given:
            sentence = f"{chosen} and {group.spell(given)} exclude each other: only a whole scan {does}"
            raise ConfigurationError(sentence, "remove one of them, or use `janitor token list`")


def check_notices(settings: NoticeSettings, state: StateSettings, *, requires_notice: bool, as_of: int | None) -> None:
    """Check that each setting has the others that it needs, and contradicts none.

    Raises:
        ConfigurationError: one lacks another, or contradicts it.
    """
    check_destinations(settings)
    for name in ("owner_address", "contact", "notice_text"):
        if getattr(settings, name) is not None and not settings.per_token and settings.is_chosen(name):
            sentence = f"{flag(name)} is for messages to owners, and without --per-token there are none"
            raise ConfigurationError(sentence, "give --per-token too")
    if settings.digest_format == CHATBOT and settings.sns_topic_arn is None:
        raise ConfigurationError("--digest-format chatbot needs a topic to publish to", "give --sns-topic-arn ARN")
    if requires_notice and settings.sns_topic_arn is None:
        way_out = "give --sns-topic-arn ARN, and --digest never if this run is to publish nothing itself"
        raise ConfigurationError("--require-notice needs the topic that expiries were announced to", way_out)
    if has_destination(settings) and as_of is not None:
        given = name_destination_flag(settings)
        sentence = f"--as-of and {given} exclude each other: notices as of another time would be wrong"
        raise ConfigurationError(sentence, "remove one of them")
    check_state(state)


def prepare_table(
    opened: OpenTable,
    stop: Stop,
    parameters: TableRunParameters,
    reader: Reader,
    *,
    rows: int,
    prices: Prices,
    deletes: bool = False,
) -> PreparedTable:
    """Prepare a table's part of a run that only reads; `with_spec` adds what else is to be done.

    Args:
        opened: the table.
        stop: says whether the run was asked to stop.
        parameters: by which rules and at what time the table is judged.
        reader: reads its rows.
        rows: how many rows it has, for the progress bar.
        prices: what capacity costs.
        deletes: whether rows will be deleted.
    """
    spec = TableSpec(
        label=opened.table.name,
        table=opened.table,
        rules=Rules(policy=parameters.policy, now=parameters.now, fingerprint_key=parameters.fingerprint_key),
        as_of=parameters.as_of,
        reader=reader,
        owners=OwnerLookup(make_owner_reader(opened)),
        traffic=opened.aws.traffic,
        prices=prices,
        clock=time.time,
        progress=make_progress(rows, "scanning"),
        stop=stop,
        warnings=find_table_warnings(opened),
    )
    log_limits(opened.budgets, deletes=deletes)
    return PreparedTable(spec, lambda: opened.aws, opened.table)
