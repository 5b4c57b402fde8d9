"""Mutations that got past every test there was, and the tests that were written for them."""

from tests.faults.mutation import Mutation

_SCAN = "tests/integration/test_scan.py"
_DELETABLE = "tests/unit/tokens/test_deletable.py::test_a_row_may_go_once_its_grace_is_over_and_not_before"
_GUARDS = "tests/unit/run/test_guards.py"
_LEFT_OUT = (
    "tests/integration/test_sweep_guards.py"
    "::test_rows_that_patterns_leave_out_count_among_those_whose_dates_are_all_over"
)
_EARLY = "tests/unit/run/test_unlocking.py::test_rows_go_early_only_where_that_lets_their_owner_in"
_NARROWING = (
    "tests/unit/run/test_narrowing.py::test_what_does_not_match_is_never_planned_and_what_matches_as_it_would_be"
)
_PARTS = "tests/integration/test_narrowing.py"
_CARRY_OUT = "tests/unit/run/test_plan_executor.py"
_DISK = f"{_CARRY_OUT}::test_no_delete_is_sent_before_the_disk_holds_the_row"
_JSON = "tests/unit/report/test_formats.py::test_json_and_ndjson_hold_no_character_that_is_obeyed_or_not_shown"
_ASLEEP = "tests/unit/serve/test_scheduler.py::test_what_a_machine_slept_through_is_done_once_however_late"
_LAMBDA = "tests/unit/aws/test_lambda_handler.py"
_ROTATE = "tests/integration/test_token_rotate.py"
_RESTORE = "tests/integration/test_restore.py"
_NEW_OWNER = (
    f"{_RESTORE}::test_a_row_that_changed_its_owner_before_it_was_deleted_is_chosen_by_its_last_owner[dynamodb-local]"
)
_IMPORT = "tests/integration/test_token_import.py::test_keys_open_the_new_lisa_as_long_as_they_opened_the_old_one"
_IS_LAST = (("if page.next_key is None:", "if page.next_key is None or not page.count:"),)

PLANTED_MUTATIONS = (
    Mutation(
        "an empty page of a scan is taken for the last one",
        "janitor/dynamodb/scan.py",
        _IS_LAST,
        (f"{_SCAN}::test_a_page_of_which_the_filter_leaves_nothing_is_not_the_last",),
    ),
    Mutation(
        "an empty page of an owner's rows is taken for the last one",
        "janitor/dynamodb/owner_query.py",
        _IS_LAST,
        (
            f"{_SCAN}::test_an_empty_page_of_an_owners_rows_is_not_the_last",
            "tests/integration/test_token_change.py::test_an_empty_page_of_an_owners_tokens_is_not_the_last",
        ),
    ),
    Mutation(
        "an empty page of an older table is taken for the last one",
        "janitor/dynamodb/locate.py",
        (("if page.scanned or page.next_key is None:", "if page is not None:"),),
        (f"{_SCAN}::test_an_older_table_whose_first_page_is_empty_is_named_for_its_rows",),
    ),
    Mutation(
        "legacy rows have no grace",
        "janitor/tokens/classify.py",
        (("now < dead_since + policy.grace:", "now < dead_since:"),),
        (_DELETABLE,),
    ),
    Mutation(
        "a LISA without MCP Workbench accepts nothing",
        "janitor/tokens/classify.py",
        (("else tuple(gate for gate in gates if gate is Gate.API)", "else ()"),),
        ("tests/unit/tokens/test_deletable.py::test_no_rule_deletes_what_a_gate_of_this_lisa_accepts",),
    ),
    Mutation(
        "an owner's living token keeps nothing",
        "janitor/run/unlocking.py",
        (("not (of_owner.has_accepted or of_owner.has_staying)", "not of_owner.has_staying"),),
        (_EARLY,),
    ),
    Mutation(
        "owners are not looked up again before the deletes",
        "janitor/run/sweep.py",
        (("            spared = find_owners_to_spare()\n", ""),),
        ("tests/faults/test_races.py::test_an_owner_who_makes_a_token_before_the_deletes_begin_loses_nothing_early",),
    ),
    Mutation(
        "rows go early though their owner is not freed",
        "janitor/run/unlocking.py",
        (("not (of_owner.has_accepted or of_owner.has_staying)", "not of_owner.has_accepted"),),
        (_EARLY,),
    ),
    Mutation(
        "rows are deleted before the archive is on the disk",
        "janitor/archive/archive.py",
        (("self._file.append(block, fsync=True)", "self._file.append(block, fsync=False)"),),
        (_DISK,),
    ),
    Mutation(
        "nothing is ever flushed to the disk",
        "janitor/archive/block_file.py",
        (("                os.fsync(self._file)\n", "                pass\n"),),
        (_DISK,),
    ),
    Mutation(
        "the archive's name is not on the disk",
        "janitor/archive/block_file.py",
        (("            _sync_folder(self.path.parent)\n", ""),),
        (_DISK,),
    ),
    Mutation(
        "rows that are withheld do not count where all dates are over",
        "janitor/run/guards.py",
        (("over = plan.planned - plan.undated + scan_facts.withheld", "over = plan.planned - plan.undated"),),
        (f"{_GUARDS}::test_a_row_that_is_withheld_is_one_of_those_whose_date_is_over",),
    ),
    Mutation(
        "rows that match no pattern of --user and --fingerprint are planned",
        "janitor/readers/judging.py",
        (("            if not is_included(row, rules):\n", "            if rules is None:\n"),),
        (_NARROWING,),
    ),
    Mutation(
        "rows that match no pattern go early",
        "janitor/readers/judging.py",
        (
            (
                "find_protection(row, policy) is None and is_included(row, rules):",
                "find_protection(row, policy) is None:",
            ),
        ),
        (_NARROWING,),
    ),
    Mutation(
        "an owner's rows go early though one of them is left out",
        "janitor/run/unlocking.py",
        (("rules.policy) or not is_included(row, rules):", "rules.policy):"),),
        ("tests/unit/run/test_narrowing.py::test_rows_go_early_only_if_all_that_keep_their_owner_out_match",),
    ),
    Mutation(
        "a row that is given to another owner in between goes, though --user names the first",
        "janitor/dynamodb/target.py",
        (("if policy.protect_users or policy.narrowing.names_owners:", "if policy.protect_users:"),),
        ("tests/integration/test_apply.py::test_a_row_that_is_protected_by_now_or_another_owners_stays",),
    ),
    Mutation(
        "a plan is carried out whole, whatever --user and --fingerprint say",
        "janitor/wiring/apply.py",
        (("narrowing=Narrowing(settings.apply.user, settings.apply.fingerprint,", "narrowing=Narrowing("),),
        (f"{_PARTS}::test_a_part_of_a_plan_goes_and_the_rest_can_follow",),
    ),
    Mutation(
        "a plan that is carried out forgets what it was itself limited to",
        "janitor/wiring/apply.py",
        (("within=planned.narrowing or None", "within=None"),),
        ("tests/integration/test_apply.py::test_a_row_that_is_protected_by_now_or_another_owners_stays",),
    ),
    Mutation(
        "a next command is shown without the protection that cannot be",
        "janitor/report/next_steps.py",
        (("    if options.withheld:\n", "    if False:\n"),),
        ("tests/integration/test_next_commands.py::test_no_printed_command_takes_more_than_was_shown",),
    ),
    Mutation(
        "a filtered listing proposes to plan the whole table",
        "janitor/report/next_steps.py",
        (
            (
                "(stale := _describe_stale(report)) and not _is_filtered(report.listing):",
                "(stale := _describe_stale(report)):",
            ),
        ),
        ("tests/integration/test_next_commands.py::test_no_printed_command_takes_more_than_was_shown",),
    ),
    Mutation(
        "a sweep plans everything, whatever --user and --fingerprint say",
        "janitor/wiring/sweep.py",
        (("        narrowing=Narrowing(plan.user, plan.fingerprint),\n", ""),),
        (f"{_PARTS}::test_a_sweep_plans_only_what_matches_by_flag_and_by_file_and_never_by_variable",),
    ),
    Mutation(
        "one pattern of --user or --fingerprint is enough",
        "janitor/tokens/narrowing.py",
        (("return is_named and self.includes_owner", "return is_named or self.includes_owner"),),
        (_NARROWING,),
    ),
    Mutation(
        "the guards do not hear of rows that are withheld",
        "janitor/readers/judging.py",
        (("            tally.withheld += verdict.expiry is not None\n", ""),),
        ("tests/integration/test_sweep_guards.py::test_protected_rows_count_among_those_whose_dates_are_all_over",),
    ),
    Mutation(
        "the guards of apply do not hear of the rows that the plan's own scan withheld",
        "janitor/archive/plan_reader.py",
        (("                withheld=line.withheld,\n", ""),),
        (_LEFT_OUT,),
    ),
    Mutation(
        "the guards of apply do not hear of the rows of the plan that are withheld",
        "janitor/wiring/apply.py",
        (("withheld=scan_facts.withheld + scanned.withheld", "withheld=scan_facts.withheld"),),
        (_LEFT_OUT,),
    ),
    Mutation(
        "a guard that knows nothing counts as passed",
        "janitor/run/guards.py",
        (("if not plan.planned or not check.is_known:", "if not plan.planned:"),),
        (f"{_GUARDS}::test_each_guard_has_its_figure_its_limit_and_a_verdict",),
    ),
    Mutation(
        "a guard that could not be checked counts as passed",
        "janitor/run/guards.py",
        (('"unknown"), limit=check.limit)', '"unknown"), limit=check.limit, passed=True)'),),
        (f"{_GUARDS}::test_each_guard_has_its_figure_its_limit_and_a_verdict",),
    ),
    Mutation(
        "the next commands forget a limit of the run",
        "janitor/wiring/command_options.py",
        (('    "max_delete_percent",\n', ""),),
        ("tests/unit/wiring/test_command_options.py::test_the_words_of_a_sweep_are_read_as_its_own_settings",),
    ),
    Mutation(
        "the guard of shares does not hold at twenty rows",
        "janitor/run/guards.py",
        (("if scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE", "if scan_facts.scanned <= LEAST_ROWS_FOR_A_SHARE"),),
        (f"{_GUARDS}::test_the_guards_of_shares_hold_from_twenty_rows_on",),
    ),
    Mutation(
        "the guard of dates does not hold at twenty rows",
        "janitor/run/guards.py",
        (("or scan_facts.scanned < LEAST_ROWS_FOR_A_SHARE", "or scan_facts.scanned <= LEAST_ROWS_FOR_A_SHARE"),),
        (f"{_GUARDS}::test_the_guards_of_shares_hold_from_twenty_rows_on",),
    ),
    Mutation(
        "characters that turn a text around stand in JSON as they are",
        "janitor/tokens/printable.py",
        ((r"\u2028-\u202e\u2060-\u206f", r"\u2028\u2029\u2060-\u2065\u206a-\u206f"),),
        (_JSON,),
    ),
    Mutation(
        "whole reports hold what a terminal obeys",
        "janitor/report/encode.py",
        (
            (
                "return escape_invisible(msgspec.json.format(msgspec.json.encode(whole), indent=2))",
                "return msgspec.json.format(msgspec.json.encode(whole), indent=2)",
            ),
        ),
        (_JSON,),
    ),
    Mutation(
        "the last line of NDJSON holds what a terminal obeys",
        "janitor/report/encode.py",
        (("return escape_invisible(msgspec.json.encode(whole))", "return msgspec.json.encode(whole)"),),
        (_JSON,),
    ),
    Mutation(
        "lines of NDJSON hold what a terminal obeys",
        "janitor/report/formats/ndjson.py",
        (("return escape_invisible(_ENCODER.encode_lines(findings))", "return _ENCODER.encode_lines(findings)"),),
        (_JSON,),
    ),
    Mutation(
        "a job is done once for every time it was slept through",
        "janitor/serve/scheduler.py",
        (('"coalesce": True', '"coalesce": False'),),
        (_ASLEEP,),
    ),
    Mutation(
        "a job that is late is left out",
        "janitor/serve/scheduler.py",
        (('"misfire_grace_time": None', '"misfire_grace_time": 1'),),
        (_ASLEEP,),
    ),
    Mutation(
        "rows are not judged again before they are sent",
        "janitor/run/plan_executor.py",
        (("            if state is None:\n", "            if False:\n"),),
        (f"{_CARRY_OUT}::test_each_row_is_judged_again_before_it_is_sent",),
    ),
    Mutation(
        "protection does not count when rows are judged again",
        "janitor/run/plan_executor.py",
        (
            (
                "is_deletable(verdict, now, policy) and find_protection(row, policy) is None",
                "is_deletable(verdict, now, policy)",
            ),
        ),
        (f"{_CARRY_OUT}::test_each_row_is_judged_again_before_it_is_sent",),
    ),
    Mutation(
        "a batch may hold a key twice",
        "janitor/run/plan_executor.py",
        (("if len(batch) == most or key in keys:", "if len(batch) == most:"),),
        (f"{_CARRY_OUT}::test_no_batch_holds_a_key_twice_however_it_is_written",),
    ),
    Mutation(
        "keys are told apart by how they are written",
        "janitor/run/plan_executor.py",
        (("        key = archived_row.candidate.row.key.S\n", "        key = str(bytes(archived_row.target.key))\n"),),
        (f"{_CARRY_OUT}::test_no_batch_holds_a_key_twice_however_it_is_written",),
    ),
    Mutation(
        "an event replaces the schedule that the function was deployed with",
        "janitor/aws/lambda_handler.py",
        (("    if of_event and of_environment:\n", "    if of_event and of_environment and not of_event:\n"),),
        (f"{_LAMBDA}::test_an_event_that_could_be_meant_otherwise_runs_nothing",),
    ),
    Mutation(
        "a run has all the time of its Lambda function",
        "janitor/aws/lambda_handler.py",
        (("int(left) - RESERVED_SECONDS", "int(left)"),),
        (f"{_LAMBDA}::test_the_run_gets_the_schedule_as_a_file_and_the_time_that_is_left",),
    ),
    Mutation(
        "an archive may be on the disk of a Lambda function",
        "janitor/wiring/places.py",
        (("    if _OF_LAMBDA in os.environ and ", "    if _OF_LAMBDA not in os.environ and "),),
        ("tests/unit/wiring/test_places.py::test_what_a_lambda_function_writes_to_its_own_folder_is_lost",),
    ),
    Mutation(
        "an old token ends before its successor is issued",
        "janitor/lifecycle/rotate.py",
        (("    rotation.issuer.issue(", "    _end_old_token(rotation, stop)\n    rotation.issuer.issue("),),
        (f"{_ROTATE}::test_no_failure_leaves_an_owner_without_a_token_that_works",),
    ),
    Mutation(
        "a token that was revoked while somebody decided gets a successor",
        "janitor/lifecycle/rotate.py",
        (("    prepare_or_stop(lambda: _check_unchanged(rotation), stop)\n", ""),),
        (f"{_ROTATE}::test_a_token_that_changes_while_somebody_decides_gets_no_successor",),
    ),
    Mutation(
        "a person's token gets the rights of a system's row beside it",
        "janitor/lifecycle/add.py",
        (("    check_rows_agree(to_replace, settings.owner, table)\n", ""),),
        ("tests/integration/test_token_add.py::test_rows_that_differ_in_rights_are_replaced_only_by_what_options_say",),
    ),
    Mutation(
        "the row of a token that nobody read stays",
        "janitor/lifecycle/issue.py",
        (("if self._remove_again(StoredItem(decode_row(new.item), new.item)):", "if new.item:"),),
        (f"{_ROTATE}::test_no_failure_leaves_an_owner_without_a_token_that_works",),
    ),
    Mutation(
        "an import brings a token to life that LISA refuses",
        "janitor/lifecycle/import_tokens.py",
        (("    if not row.is_accepted:\n", "    if False:\n"),),
        (_IMPORT,),
    ),
    Mutation(
        "an import shows and stores a token that another line has in it",
        "janitor/lifecycle/import_tokens.py",
        (("return any(reveals_any_token(text, digests) or any(", "return any(any("),),
        ("tests/integration/test_token_import.py::test_no_line_shows_or_stores_a_token_that_any_line_has_in_it",),
    ),
    Mutation(
        "a new row keeps a name that has the replaced token in it",
        "janitor/lifecycle/grant.py",
        (("owner, key, *old_keys)", "owner, key)"),),
        ("tests/integration/test_token_add.py::test_what_replaces_a_token_keeps_no_text_that_has_the_old_one_in_it",),
    ),
    Mutation(
        "a restore puts a row beside one of its archive that was extended",
        "janitor/lifecycle/restore.py",
        (("hash_key(row) + msgspec.json.encode(row.expiration)", "hash_key(row)"), (" if archived.was_deleted)", ")")),
        (f"{_RESTORE}::test_no_row_is_put_beside_one_of_the_archive_that_its_owner_extended[dynamodb-local]",),
    ),
    Mutation(
        "a restore chooses a row by the owner that it had when it was planned",
        "janitor/lifecycle/archived_rows.py",
        (("if not choice.includes(planned, row):", "if not choice.includes(planned, read_row):"),),
        (_NEW_OWNER,),
    ),
    Mutation(
        "a restore puts a changed row back as it was planned",
        "janitor/lifecycle/archived_rows.py",
        (("planned if item is None else msgspec.structs.replace(planned, item=item)", "planned"),),
        (_NEW_OWNER,),
    ),
    Mutation(
        "an import takes a dead row that stands for one that works",
        "janitor/lifecycle/import_tokens.py",
        (("    if Gate.API not in find_accepting_gates(", "    if None is find_accepting_gates("),),
        (
            "tests/integration/test_token_import.py::test_a_row_that_stands_and_does_not_do_what_its_line_wants_is_named",
        ),
    ),
    Mutation(
        "an import gives a second token to who made one while the question waited",
        "janitor/lifecycle/import_tokens.py",
        (("has_other = not owner.is_system and ", "has_other = False and "),),
        ("tests/integration/test_token_import.py::test_an_owner_who_makes_a_token_meanwhile_gets_no_second_one",),
    ),
    Mutation(
        "an import brings back a token that was revoked while the question waited",
        "janitor/lifecycle/import_tokens.py",
        (("    if current is None or _read_end(current.row) != old.expiry:\n", "    if current is None:\n"),),
        ("tests/integration/test_token_import.py::test_a_token_that_is_ended_meanwhile_is_not_imported",),
    ),
    Mutation(
        "an import gives a person a second token",
        "janitor/lifecycle/import_tokens.py",
        (("if owner_has_row and not grant.is_system else None", "if False else None"),),
        (_IMPORT,),
    ),
    Mutation(
        "a key that no hash can be is found by LISA's API",
        "janitor/tokens/dialect.py",
        (('return lacks_uuid(row) or not is_sha256(row.key.S or "")', "return lacks_uuid(row)"),),
        (
            "tests/unit/tokens/test_dialect.py::test_accepted_by_is_what_lisas_own_code_decides",
            "tests/unit/tokens/test_reasons.py::test_a_row_whose_key_no_hash_can_be_opens_workbench_alone",
        ),
    ),
    Mutation(
        "the positions of rows in a page start anew with each group of glances",
        "janitor/readers/judging.py",
        (("positions_to_decode(glances, now, policy, start)", "positions_to_decode(glances, now, policy)"),),
        ("tests/unit/readers/test_judging.py::test_an_odd_row_is_found_wherever_it_stands_in_a_page",),
    ),
    Mutation(
        "the keys of a group of rows pass as sha256 by their length",
        "janitor/tokens/dialect.py",
        (("<= {SHA256_DIGITS} and bytes.fromhex(text).hex() == text", "<= {SHA256_DIGITS}"),),
        ("tests/unit/readers/test_judging.py::test_an_odd_row_is_found_wherever_it_stands_in_a_page",),
    ),
    Mutation(
        "a group that is the token of another row is remembered as harmless",
        "janitor/tokens/redact.py",
        (
            (
                "    hashes = _recall_hashes(text) if is_common",
                "    hashes = _recall_hashes(text, digests) if is_common",
            ),
            (
                "_recall_hashes = lru_cache(maxsize=500)(_hash_pieces)",
                (
                    "_kept = {}\n\n\ndef _recall_hashes(text, digests):\n"
                    "    return _kept.setdefault(text, [each for each in _hash_pieces(text) if each in digests])"
                ),
            ),
        ),
        ("tests/unit/tokens/test_fingerprint.py::test_a_group_is_the_token_of_one_row_and_a_name_to_the_other",),
    ),
    Mutation(
        "rows without a date go from a table that an older LISA may read",
        "janitor/wiring/sweep.py",
        (
            (
                "policy.dialect is Dialect.HASHED and not table.has_owner_index",
                "policy.dialect is Dialect.HASHED and False",
            ),
        ),
        ("tests/integration/test_unlock.py::test_rows_without_a_date_stay_where_an_older_lisa_may_accept_them",),
    ),
    Mutation(
        "the server keeps rows whose groups break LISA",
        "janitor/dynamodb/scan.py",
        (('    _other_type("#g", ":list"),\n', ""),),
        ("tests/integration/test_scan_filter.py::test_a_row_that_the_server_does_not_send_is_plainly_active",),
    ),
    Mutation(
        "an active row that breaks LISA is only counted",
        "janitor/tokens/classify.py",
        (("return self.state is not State.ACTIVE or bool(self.reasons)", "return self.state is not State.ACTIVE"),),
        ("tests/unit/tokens/test_reasons.py::test_each_kind_of_row_has_its_reasons_and_says_them_in_words",),
    ),
    Mutation(
        "a daemon told to delete nothing does not tell its runs",
        "janitor/cli/serve.py",
        (('        options.append(flag("dry_run"))\n', ""),),
        ("tests/unit/cli/test_app.py::test_a_daemon_that_is_told_so_makes_every_run_a_dry_run",),
    ),
    Mutation(
        "the page shows what looks like a key",
        "janitor/serve/error_file.py",
        (("printable(remove_keys(line.removeprefix(PREFIX)))", "printable(line.removeprefix(PREFIX))"),),
        ("tests/unit/test_error_lines.py::test_lines_go_to_standard_error_and_to_the_file_of_a_daemon",),
    ),
)
