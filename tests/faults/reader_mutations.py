"""Mutations of what reads for a run: what was not read must not pass for read, nor what was read twice for once."""

from tests.faults.mutation import Mutation

_FAULTS = "tests/faults/test_readers.py"
_SEGMENT = "tests/unit/readers/test_segment.py"
_READERS = "tests/integration/test_readers.py"
_ONE_PROCESS = (
    "tests/unit/wiring/test_readers.py::test_a_table_with_a_budget_or_of_somebody_who_is_asked_is_read_by_one_process"
)

READER_MUTATIONS = (
    Mutation(
        "a segment whose reader died is not read again",
        "janitor/readers/processes.py",
        (("                    again.append(reader.task)\n", ""),),
        (f"{_FAULTS}::test_a_process_that_is_killed_is_replaced",),
    ),
    Mutation(
        "a segment that nobody read is not missed",
        "janitor/readers/segment.py",
        (("if not (all(is_read) or self._stop.is_requested()):", "if not is_read:"),),
        (f"{_SEGMENT}::test_a_table_of_which_a_segment_was_not_read_once_is_not_read",),
    ),
    Mutation(
        "a failed segment passes for an empty one",
        "janitor/readers/segment.py",
        (
            (
                "    if (failure := decoded.failure) is not None:\n",
                "    if (failure := decoded.failure) is not None and decoded.pages:\n",
            ),
        ),
        (f"{_FAULTS}::test_what_hinders_a_reader_is_said_and_nothing_is_deleted",),
    ),
    Mutation(
        "a segment that is answered twice counts twice",
        "janitor/readers/segment.py",
        (("                if is_read[result.segment]:\n", "                if result.segment < 0:\n"),),
        (f"{_SEGMENT}::test_a_table_of_which_a_segment_was_not_read_once_is_not_read",),
    ),
    Mutation(
        "a reader counts the first page of a segment twice",
        "janitor/readers/segment.py",
        (
            (
                "return _SegmentAnswer(task.segment, requests, throttled, pages)",
                "return _SegmentAnswer(task.segment, requests, throttled, [*pages[:1], *pages])",
            ),
        ),
        (f"{_READERS}::test_whoever_reads_the_same_is_said[processes]",),
    ),
    Mutation(
        "a reader takes whatever table has the name",
        "janitor/readers/segment.py",
        (
            (
                "    if (found.table_id, found.account_id) != (location.table_id, location.account_id):\n",
                "    if not found:\n",
            ),
        ),
        (f"{_READERS}::test_a_worker_that_finds_another_table_of_that_name_ends_the_run",),
    ),
    Mutation(
        "a reader finishes its segment before it looks whether the run is still there",
        "janitor/readers/processes.py",
        (("    # The main process is gone: do not wait for the thread.\n", "    threading.Event().wait()\n"),),
        (f"{_FAULTS}::test_readers_die_with_a_run_that_is_killed_in_the_middle_of_a_segment",),
    ),
    Mutation(
        "readers that die are replaced for ever",
        "janitor/readers/processes.py",
        (("if attempts[reader.task] == _MAX_ATTEMPTS:", "if attempts[reader.task] == 0:"),),
        (f"{_FAULTS}::test_processes_that_die_again_and_again_fail_the_run_and_nothing_is_deleted",),
    ),
    Mutation(
        "a table is read by processes that cannot ask for a code",
        "janitor/wiring/readers.py",
        (("        may_ask_person=opened.aws.may_ask_person,\n", ""),),
        (_ONE_PROCESS,),
    ),
    Mutation(
        "a table with a read budget is read by several processes",
        "janitor/wiring/readers.py",
        (("        has_budget=opened.budgets.reads.limit is not None,\n", ""),),
        (_ONE_PROCESS,),
    ),
    Mutation(
        "a table of which processes have read a part is read once more",
        "janitor/readers/processes.py",
        (("            if is_counted:\n                raise\n", ""),),
        (
            "tests/unit/readers/test_processes.py::test_no_other_reader_reads_once_something_was_read_or_if_something_else_failed",
        ),
    ),
    Mutation(
        "processes that somebody asked for are done without",
        "janitor/wiring/readers.py",
        (("    if limits.workers is not None or (limits.segments or 0) > MAX_THREADS:\n        return reader\n", ""),),
        (
            f"{_FAULTS}::test_a_run_that_cannot_start_the_processes_that_it_was_told_to_use_fails_and_nothing_is_deleted",
        ),
    ),
)
