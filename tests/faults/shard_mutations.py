"""Mutations of what shards of one run have to do with each other."""

from tests.faults.mutation import Mutation

_SHARDS = "tests/integration/test_shards.py"
_STORE = "tests/integration/test_shard_store.py"

SHARD_MUTATIONS = (
    Mutation(
        "a shard asks the guards of its own rows alone",
        "janitor/run/shard_guards.py",
        (("planned=sum(counts.planned for counts in everybody.values())", "planned=own.planned"),),
        (f"{_SHARDS}::test_guards_hold_for_the_whole",),
    ),
    Mutation(
        "a shard deletes before the others have counted",
        "janitor/run/shard_guards.py",
        (("        if missing:\n", "        if False:\n"),),
        (f"{_SHARDS}::test_a_shard_that_waits_in_vain_refuses_and_names_whom_it_waited_for",),
    ),
    Mutation(
        "a shard that was started again counts anew",
        "janitor/run/sharded_run.py",
        (
            (
                "if self._store.create(name, msgspec.json.encode(counts)):\n            return counts",
                "self._store.put(name, msgspec.json.encode(counts))",
            ),
        ),
        (f"{_STORE}::test_what_a_shard_counted_first_stands",),
    ),
    Mutation(
        "each shard is cut into segments of its own number",
        "janitor/dynamodb/scan.py",
        (('"TotalSegments": total}', '"TotalSegments": total + self.shard.index}'),),
        (f"{_SHARDS}::test_eight_processes_find_what_one_finds",),
    ),
    Mutation(
        "nobody remembers that the report of all was made",
        "janitor/run/shard_announcer.py",
        (("            self._run.set_merged()\n", ""),),
        (f"{_SHARDS}::test_a_shard_that_is_killed_and_started_again_belongs_to_its_run",),
    ),
    Mutation(
        "every shard's lease is its own",
        "janitor/cli/wiring/sweep.py",
        (("holder = joined.holder if joined else run_id", "holder = run_id"),),
        (f"{_SHARDS}::test_a_shard_that_is_killed_and_started_again_belongs_to_its_run",),
    ),
)
