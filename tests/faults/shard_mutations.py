"""Mutations of what shards of one run have to do with each other."""

from tests.faults.mutation import Mutation

_SHARDS = "tests/integration/test_shards.py"
_STORE = "tests/integration/test_shard_store.py"

SHARD_MUTATIONS = (
    Mutation(
        "a shard asks the guards of its own rows alone",
        "janitor/run/shards/guards.py",
        (("planned=sum(counts.planned for counts in everybody.values())", "planned=own.planned"),),
        (f"{_SHARDS}::test_guards_hold_for_the_whole",),
    ),
    Mutation(
        "a shard deletes before the others have counted",
        "janitor/run/shards/guards.py",
        (("return None if self._missing() else self._run", "return self._run"),),
        (f"{_SHARDS}::test_a_shard_that_is_killed_and_started_again_belongs_to_its_run",),
    ),
    Mutation(
        "whoever comes late does not go by what was refused",
        "janitor/run/shards/guards.py",
        (
            ("        if verdict.refusal is not None:\n", "        if False:\n"),
            ("everybody = {int", "everybody = {self._run.shard.index: counts} | {int"),
        ),
        (f"{_SHARDS}::test_a_shard_that_waits_in_vain_refuses_for_all_and_whoever_comes_late_deletes_nothing",),
    ),
    Mutation(
        "what a dead process had counted stands",
        "janitor/run/shards/sharded_run.py",
        (("if index in lives and lives[index].attempt == counts.attempt", "if index in lives"),),
        (f"{_SHARDS}::test_what_a_dead_process_had_counted_is_no_part_of_the_whole", _STORE),
    ),
    Mutation(
        "one index in two processes has the claim twice",
        "janitor/cli/wiring/stores.py",
        (('shards/{run.name}", run.attempt)', 'shards/{run.name}", str(run.shard))'),),
        ("tests/unit/cli/test_shards.py",),
    ),
    Mutation(
        "each shard is cut into segments of its own number",
        "janitor/dynamodb/scan.py",
        (('"TotalSegments": total}', '"TotalSegments": total + self.shard.index}'),),
        (f"{_SHARDS}::test_eight_processes_find_what_one_finds",),
    ),
    Mutation(
        "nobody remembers that the report of all was made",
        "janitor/run/shards/merge.py",
        (("        self.asked(lambda: self._run.set_merged(", "        print(lambda: self._run.set_merged("),),
        (f"{_SHARDS}::test_a_shard_that_is_killed_and_started_again_belongs_to_its_run",),
    ),
    Mutation(
        "every shard's lease is its own",
        "janitor/cli/wiring/sweep.py",
        (("holder = joined.holder if joined else run_id", "holder = run_id"),),
        (f"{_SHARDS}::test_a_shard_that_is_killed_and_started_again_belongs_to_its_run",),
    ),
)
