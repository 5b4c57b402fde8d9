"""One shard of a run: which part of the table it takes, and whether it meets the others."""

import os
from collections.abc import Mapping

from janitor.cli.wiring.stores import has_store
from janitor.config.scan import ScanSettings
from janitor.config.shards import COUNT_VARIABLE, ShardSettings
from janitor.errors import ConfigurationError
from janitor.shard import AUTO, MAX_SHARDS, Shard, shard_of

_INDEX = "JOB_COMPLETION_INDEX"


def shard_in(settings: ShardSettings, environment: Mapping[str, str] | None = None) -> Shard | None:
    """Which part of the table a run takes; None for all of it.

    Raises:
        ConfigurationError: `auto`, and the environment does not say.
    """
    if settings.shard != AUTO:
        return settings.shard
    variables = os.environ if environment is None else environment
    index = _number(variables, _INDEX, "Kubernetes sets it in the pods of an Indexed Job; elsewhere give --shard I/N")
    count = _number(variables, COUNT_VARIABLE, "set it to the Job's completions, from 1 to 1,000")
    try:
        return shard_of(index, count, f"{index}/{count}")
    except ValueError as error:
        sentence = f"--shard auto: {error}, by {_INDEX} and {COUNT_VARIABLE}"
        raise ConfigurationError(sentence, f"set {COUNT_VARIABLE} to the Job's completions", "shard") from None


def check_shards(settings: ScanSettings, *, deletes: bool) -> None:
    """See that the settings of a shard do not contradict others, before anything is asked of AWS.

    Raises:
        ConfigurationError: they do.
    """
    shards, shard = settings.shards, shard_in(settings.shards)
    given = {
        "--shard-run": shards.shard_run is not None,
        "--shard-wait": shards.shard_wait is not None,
        "--merged-report": bool(shards.merged_report),
    }
    named = next((name for name, is_given in given.items() if is_given), None)
    if shard is None:
        if named is not None:
            raise ConfigurationError(f"{named} is about shards, and this run is none", "give --shard I/N", "shard")
        return
    if not has_store(settings.state, settings.notices):
        if deletes:
            sentence = "--shard with --delete needs --state-url: its guards are for all shards together"
            raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
        if named is not None:
            sentence = f"{named} needs --state-url, where shards meet"
            raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
    if shards.shard == AUTO and settings.state.state_url is None and settings.notices.sns_topic_arn is not None:
        sentence = "--shard auto with a topic needs --state-url: without it each pod remembers by itself"
        raise ConfigurationError(sentence, "give all shards the same --state-url", "shard")
    if settings.policy.as_of is not None and named is not None:
        sentence = f"{named} goes with no --as-of, which leaves nothing in the state store"
        raise ConfigurationError(sentence, "go without it", "shard")


def is_part_of_a_run(settings: ScanSettings) -> bool:
    """Whether it is a shard that meets the others, of which the last speaks for all."""
    is_remembered = has_store(settings.state, settings.notices) and settings.policy.as_of is None
    return settings.shards.shard is not None and is_remembered


def _number(variables: Mapping[str, str], name: str, way_out: str) -> int:
    text = variables.get(name)
    if text is None:
        raise ConfigurationError(f"--shard auto needs the variable {name}", way_out, "shard")
    if not text.isdecimal() or len(text) > len(str(MAX_SHARDS)):
        raise ConfigurationError(f"--shard auto: {name} is not a number", way_out, "shard")
    return int(text)
