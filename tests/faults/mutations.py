"""Proof that the fault tests can fail: each mutation of the program is caught by the tests that are there for it.

    make mutations                                    # all
    python -m tests.faults.mutations hold denial      # those whose names have one of these words

Every mutation is made in a copy of the project, and its tests are run there; they must fail, and pass without it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.mutation import Mutation
from tests.faults.notice_mutations import NOTICE_MUTATIONS
from tests.faults.planted_mutations import PLANTED_MUTATIONS
from tests.faults.reader_mutations import READER_MUTATIONS

ROOT = Path(__file__).parents[2]
COPIED = ("janitor", "tests", "deploy", "pyproject.toml", "README.md")
SECONDS = 600
FAILED = 1  # pytest's exit code where tests ran, and some failed


MUTATIONS = (
    Mutation(
        "no condition is sent",
        "janitor/dynamodb/target.py",
        (
            (
                """for name, value in self.conditions)\n        return {""",
                """for name, value in ())\n        return {""",
            ),
            ("*(value for _, value in self.conditions if", "*(value for _, value in () if"),
            ("""=? AND {" AND ".join(clauses)} RETURNING""", "=? RETURNING"),
        ),
        ("tests/faults/test_races.py::test_hundreds_of_owners_extend_during_the_sweep_and_keep_their_tokens",),
    ),
    Mutation(
        "a hold that is put on a row in between does not count",
        "janitor/dynamodb/target.py",
        (("[(EXPIRATION, seen.expiration), (HOLD, seen.hold)]", "[(EXPIRATION, seen.expiration)]"),),
        ("tests/faults/test_races.py::test_a_row_that_is_not_as_it_was_seen_stays",),
    ),
    Mutation(
        "a statement's error is ignored",
        "janitor/dynamodb/delete_methods.py",
        (("    error = answer.error\n", "    error = None\n"),),
        ("tests/faults/test_statements.py",),
    ),
    Mutation(
        "a failed condition always counts as changed",
        "janitor/dynamodb/delete_methods.py",
        (("return UNMET if error.item is msgspec.UNSET else CHANGED", "return CHANGED"),),
        ("tests/faults/test_races.py::test_a_row_that_somebody_else_deleted_is_already_gone",),
    ),
    Mutation(
        "a success without a row counts as deleted",
        "janitor/dynamodb/delete_methods.py",
        (
            (
                (
                    "return ALREADY_GONE if answer.item is msgspec.UNSET else "
                    "Reply(DeletionOutcome.DELETED, item=answer.item)"
                ),
                "return Reply(DeletionOutcome.DELETED)",
            ),
        ),
        ("tests/faults/test_races.py::test_a_row_that_somebody_else_deleted_is_already_gone",),
    ),
    Mutation(
        "what succeeded is sent again",
        "janitor/dynamodb/delete.py",
        (("if replies[position].is_transient]", "if any(reply.is_transient for reply in replies)]"),),
        ("tests/faults/test_statements.py::test_what_succeeded_is_not_sent_again",),
    ),
    Mutation(
        "throttled statements are not sent again",
        "janitor/dynamodb/delete.py",
        (("_ROUNDS = 9\n", "_ROUNDS = 1\n"),),
        ("tests/faults/test_statements.py",),
    ),
    Mutation(
        "a cut page is taken for the last one",
        "janitor/dynamodb/decode.py",
        (
            (
                "        return BROKEN, str(error)\n",
                '        return DECODED, Page(b\'{"Items":[],"Count":0,"ScannedCount":0}\')\n',
            ),
        ),
        ("tests/faults/test_damage.py",),
    ),
    Mutation(
        "a corrupt page is taken for a whole one",
        "janitor/dynamodb/decode.py",
        (("if checksum is not None and checksum !=", "if False and checksum !="),),
        ("tests/faults/test_damage.py",),
    ),
    Mutation(
        "rows are deleted before they are archived",
        "janitor/run/plan_executor.py",
        (
            (
                "        first = self._archive_rows([",
                "        self._delete([target for _, target in deletable[:25]])\n        first = self._archive_rows([",
            ),
        ),
        ("tests/faults/test_archive.py", "tests/faults/test_kill.py"),
    ),
    Mutation(
        "an archive that fails does not keep rows from being deleted",
        "janitor/run/plan_executor.py",
        (
            (
                (
                    "            yield from _leave_planned([candidate for candidate, _ in deletable])\n"
                    "            return\n"
                ),
                "            first = 0\n",
            ),
        ),
        ("tests/faults/test_archive.py",),
    ),
    Mutation(
        "the clock is not checked",
        "janitor/run/guards.py",
        (('    "clock": _check_clock,\n', ""),),
        ("tests/faults/test_clock.py",),
    ),
    Mutation(
        "rows are judged by this machine's clock alone",
        "janitor/dynamodb/clock.py",
        (("return local if server is None else min(local, server)", "return local"),),
        ("tests/faults/test_two_clocks.py",),
    ),
    Mutation(
        "a later answer's date does not count before a delete",
        "janitor/dynamodb/clock.py",
        (("offset if self._offset is None else min(offset, self._offset)", "self._offset or offset"),),
        ("tests/faults/test_two_clocks.py::test_an_answer_that_tells_of_an_earlier_time_counts_before_each_delete",),
    ),
    Mutation(
        "nobody need say yes where there is no terminal",
        "janitor/wiring/confirm.py",
        (("self._yes or self._is_scheduled or can_ask()", "self._yes or self._is_scheduled or not can_ask()"),),
        ("tests/integration/test_consent.py::test_without_a_terminal_nothing_goes_before_somebody_says_yes",),
    ),
    Mutation(
        "a dry run announces",
        "janitor/wiring/announcer.py",
        (
            ("topic=None if is_dry_run or destination is None", "topic=None if destination is None"),
            ("(DryAnnouncer if parameters.is_dry_run else Announcer)(", "Announcer("),
        ),
        ("tests/integration/test_dry_runs.py::test_nobody_hears_of_a_dry_run_and_nothing_is_remembered",),
    ),
    Mutation(
        "a dry run remembers",
        "janitor/wiring/stores.py",
        (("ReadOnlyStore if is_dry_run else Store", "Store"),),
        ("tests/integration/test_dry_runs.py::test_nobody_hears_of_a_dry_run_and_nothing_is_remembered",),
    ),
    Mutation(
        "a dry run calls its monitor",
        "janitor/wiring/monitoring.py",
        (("url = None if is_dry_run else settings.heartbeat_url", "url = settings.heartbeat_url"),),
        ("tests/integration/test_dry_runs.py::test_nobody_hears_of_a_dry_run_and_nothing_is_remembered",),
    ),
    Mutation(
        "a signal is not heard before the next group",
        "janitor/run/plan_executor.py",
        (("return self._is_broken_off or self._stop.is_requested()", "return self._is_broken_off"),),
        ("tests/faults/test_stopping.py",),
    ),
    Mutation(
        "a denial sends again what was settled",
        "janitor/dynamodb/delete.py",
        (("enumerate(refused.replies) if reply.outcome is None]", "enumerate(refused.replies)]"),),
        ("tests/faults/test_denials.py",),
    ),
    Mutation(
        "what waits for a worker is sent after a signal",
        "janitor/run/plan_executor.py",
        (("(self._takes_back_batches or self._stop.is_requested()):", "self._takes_back_batches:"),),
        ("tests/faults/test_stopping.py::test_deletes_that_hang_do_not_hold_up_the_end",),
    ),
    Mutation(
        "a protection that is put on a row in between does not count",
        "janitor/dynamodb/target.py",
        (("if policy.protect_users or policy.narrowing.names_owners:", "if policy.narrowing.names_owners:"),),
        ("tests/integration/test_apply.py::test_a_row_that_is_protected_by_now_or_another_owners_stays",),
    ),
    Mutation(
        "a put whose answer was lost counts as skipped",
        "janitor/dynamodb/conditional_write.py",
        (("if answer.was_sent_again and is_as_written(answer.current_row):", "if False:"),),
        ("tests/integration/test_restore.py::test_a_put_whose_answer_was_lost_counts_as_restored",),
    ),
    Mutation(
        "a notice that nobody took is marked as sent",
        "janitor/sinks/sns.py",
        (
            (
                "        self._call(_PUBLISH, self._client.publish, **self._build_parameters(message))\n",
                "        del message\n",
            ),
        ),
        ("tests/integration/test_notices.py::test_a_failed_publish_is_tried_again_next_time_and_said",),
    ),
    Mutation(
        "rows need not wait for their notice",
        "janitor/run/planning.py",
        (("if announced is not None and (fingerprint, found.verdict.expiry or 0) not in announced:", "if False:"),),
        ("tests/integration/test_notices_state.py",),
    ),
    Mutation(
        "a delete is sent again without the lease",
        "janitor/dynamodb/delete.py",
        (("        if not self._may_go_on():\n            raise", "        if False:\n            raise"),),
        ("tests/faults/test_lease.py",),
    ),
    Mutation(
        "batches that wait are sent without the lease",
        "janitor/run/plan_executor.py",
        (
            ("        if not self._may_go_on():\n", "        if False:\n"),
            ("self._stop.is_requested() or not self._may_go_on()", "self._stop.is_requested()"),
        ),
        ("tests/unit/run/test_plan_executor.py",),
    ),
    Mutation(
        "another run's lease does not matter",
        "janitor/run/table_lease.py",
        (("yield LeaseOutcome(other_holder, problem, warnings", "yield LeaseOutcome(None, None, warnings"),),
        ("tests/integration/test_sweep_lease.py",),
    ),
    Mutation(
        "a lease is taken over from whoever has it",
        "janitor/store/lease.py",
        (("        return self.holder == holder or self", "        return True or self"),),
        ("tests/integration/test_lease.py",),
    ),
    Mutation(
        "a lease that is renewed is taken over all the same",
        "janitor/store/lease_keeper.py",
        (
            ("watched.__eq__ if self._clock()", "(lambda _: True) if self._clock()"),
            ("while answer == watched and", "while"),
        ),
        ("tests/unit/store/test_lease_keeper.py",),
    ),
    Mutation(
        "a lease that can be none keeps everybody out for years",
        "janitor/store/lease.py",
        (("return self.is_broken(now) or (", "return ("),),
        ("tests/integration/test_lease.py",),
    ),
    Mutation(
        "one part of the table is read by nobody",
        "janitor/dynamodb/scan.py",
        (('"TotalSegments": self.segments}', '"TotalSegments": self.segments + 1}'),),
        ("tests/integration/test_scan.py::test_pages_and_segments_lose_no_row_and_send_no_active_one",),
    ),
    Mutation(
        "a row that somebody named is written whatever became of it",
        "janitor/dynamodb/target.py",
        (("enumerate(self.conditions):\n            all_names", "enumerate(()):\n            all_names"),),
        ("tests/integration/test_token_change.py",),
    ),
    *NOTICE_MUTATIONS,
    *PLANTED_MUTATIONS,
    *READER_MUTATIONS,
)


def main(words: list[str]) -> int:
    """Try every mutation, or those with one of these words; 1 if one was not caught, or its tests fail without it."""
    uncaught = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Path(folder)
        for name in COPIED:
            _copy(ROOT / name, copy / name)
        for mutation in [each for each in MUTATIONS if not words or any(word in each.name for word in words)]:
            verdict = _verdict(mutation, copy)
            sys.stdout.write(f"{verdict:<12} {mutation.name}\n")
            sys.stdout.flush()
            if verdict != "caught":
                uncaught.append(mutation.name)
    return 1 if uncaught else 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _verdict(mutation: Mutation, copy: Path) -> str:
    file = copy / mutation.file
    whole = file.read_text()
    mutated = whole
    for old, new in mutation.changes:
        if mutated.count(old) != 1:
            return "not there"
        mutated = mutated.replace(old, new)
    if _run(mutation, copy) != 0:
        return "fails anyway"
    file.write_text(mutated)
    try:
        return "caught" if _run(mutation, copy) == FAILED else "NOT CAUGHT"
    finally:
        file.write_text(whole)


def _run(mutation: Mutation, copy: Path) -> int:
    """Run a mutation's tests on the copy as it is now, up to the first that fails; pytest's exit code."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        [*command, *mutation.tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
