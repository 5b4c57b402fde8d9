"""Mutations of who is told what, and of what is remembered of it."""

from tests.faults.mutation import Mutation

_TESTS = "tests/integration/test_audiences.py"
_SERVICES = "tests/integration/test_services.py"

NOTICE_MUTATIONS = (
    Mutation(
        "what the digest told counts as told to owners",
        "janitor/notices/audience.py",
        (('return f"{self.kind.value}/{self.topic}/', 'return f"{self.topic}/'),),
        (f"{_TESTS}::test_owners_hear_of_what_only_the_digest_told_and_the_digest_does_not_repeat_it",),
    ),
    Mutation(
        "what one topic heard counts as heard by another",
        "janitor/notices/audience.py",
        (('return f"{self.kind.value}/{self.topic}/', 'return f"{self.kind.value}/'),),
        (f"{_TESTS}::test_a_second_topic_hears_what_is_due_and_each_hears_it_once",),
    ),
    Mutation(
        "a digest's notice lets go what owners are to hear of",
        "janitor/wiring/announcer.py",
        (
            (
                "kind = MessageKind.OWNER if channel.per_token else MessageKind.DIGEST",
                "kind = MessageKind.DIGEST",
            ),
        ),
        (f"{_TESTS}::test_where_owners_are_told_only_their_own_message_lets_a_token_go",),
    ),
    Mutation(
        "two announce at once",
        "janitor/notices/announcer.py",
        (("            self._other_holder = self._enter_lease()\n", "            self._other_holder = None\n"),),
        (f"{_TESTS}::test_who_comes_second_leaves_its_notices_to_the_next_run_and_says_so",),
    ),
    Mutation(
        "what another run told meanwhile is told again",
        "janitor/notices/announcer.py",
        (("                self._memory.drop_already_sent()\n", ""),),
        (f"{_TESTS}::test_what_another_run_told_while_this_one_read_is_not_told_again",),
    ),
    Mutation(
        "nothing proves that marks can be kept",
        "janitor/notices/announcer.py",
        (("                self._memory.prove_room()\n", ""),),
        (f"{_TESTS}::test_where_no_mark_fits_no_message_goes_out",),
    ),
    Mutation(
        "messages go on after a mark has failed",
        "janitor/notices/announcer.py",
        (("if not self.mark(MessageKind.OWNER, batch) or", "if not [self.mark(MessageKind.OWNER, batch)] or"),),
        (f"{_TESTS}::test_the_first_mark_that_fails_ends_the_messages",),
    ),
    Mutation(
        "a snapshot is held against one of another horizon",
        "janitor/wiring/announcer.py",
        (('findings_scheme=f"{policy.dialect.value}/{policy.horizon}/{key_id}"', 'findings_scheme="all"'),),
        (f"{_TESTS}::test_jobs_with_different_horizons_report_no_false_changes",),
    ),
    Mutation(
        "the dead are told of one by one on the first run",
        "janitor/notices/audience.py",
        (("return AudienceProgress(None, max(0, now - grace))", "return AudienceProgress(None, 0)"),),
        (f"{_TESTS}::test_tokens_that_were_dead_before_the_first_run_are_counted_and_no_owner_is_written_to",),
    ),
    Mutation(
        "the same refusal is told every night",
        "janitor/notices/run_problem.py",
        (("and last.reason == problem.reason\n            and", "and False\n            and"),),
        (f"{_TESTS}::test_the_same_refusal_is_told_once_a_day_and_its_end_once",),
    ),
    Mutation(
        "a mark of the year 9999 counts",
        "janitor/store/record_times.py",
        (("0 <= moment <= now + ahead + MAX_AHEAD_SECONDS", "True"),),
        ("tests/integration/test_run_memory.py",),
    ),
    Mutation(
        "a mark that stands loses its time to whoever comes second",
        "janitor/store/run_memory.py",
        (("at = current.at if current is not None and current.at >= moment else check.now", "at = check.now"),),
        ("tests/integration/test_run_memory.py",),
    ),
    Mutation(
        "a run whose snapshot was overtaken points to chunks that may be gone",
        "janitor/store/run_memory.py",
        (("            elif record != first:\n                return snapshot\n", ""),),
        ("tests/integration/test_store_snapshots.py",),
    ),
    Mutation(
        "a write to a state table does not look at what was read",
        "janitor/store/dynamodb.py",
        (("        if change.expected is not ANYTHING:\n", "        if False:\n"),),
        ("tests/integration/test_store.py",),
    ),
    Mutation(
        "a write to a state file does not look at what was read",
        "janitor/store/sqlite.py",
        (('_AS_READ = "AND CAST(version AS BLOB) = :read"', '_AS_READ = "AND :read = :read"'),),
        ("tests/integration/test_store.py",),
    ),
    Mutation(
        "a write whose answer was lost counts as refused",
        "janitor/store/records.py",
        (("return all(_is_made(change, standing.get(change.name)) for change in changes)", "return False"),),
        ("tests/integration/test_store.py",),
    ),
    Mutation(
        "a store that gives nothing back is trusted",
        "janitor/store/records.py",
        (("if self.read(scope, proofs).records.keys() != {*proofs}:", "if False:"),),
        ("tests/integration/test_store.py",),
    ),
    Mutation(
        "a bug in who announces loses the report",
        "janitor/notices/announcer.py",
        (
            (
                (
                    "        if not self._bugs:\n"
                    "            with catch_as_remarks(WHERE, NOT_ANNOUNCED, self._bugs):\n      "
                ),
                "        if not self._bugs:\n            if True:\n      ",
            ),
        ),
        ("tests/unit/run/test_flow.py",),
    ),
    Mutation(
        "a dry run forgets the owners of what it plans",
        "janitor/wiring/announcer.py",
        (("        is_dry_run=is_dry_run,\n", ""),),
        ("tests/integration/test_dry_runs.py",),
    ),
    Mutation(
        "every run that fails at once says so",
        "janitor/wiring/announcer.py",
        (("held.enter_context(lease)", "str(lease)"),),
        (f"{_TESTS}::test_a_run_that_comes_to_no_report_waits_while_another_one_is_about_to_say_so",),
    ),
    Mutation(
        "what was heard under one dialect counts under another",
        "janitor/wiring/announcer.py",
        (('fingerprint_scheme=f"{policy.dialect.value}/{key_id}"', "fingerprint_scheme=key_id"),),
        (f"{_TESTS}::test_another_dialect_makes_nothing_due_that_was_told",),
    ),
    Mutation(
        "a service is named in the store by its URL",
        "janitor/wiring/destinations.py",
        (('return f"notify-{digest.hex()}"', 'return f"notify-{url}"'),),
        (f"{_SERVICES}::test_a_service_gets_each_notice_once_and_another_makes_up_for_what_it_missed",),
    ),
    Mutation(
        "what one service took counts as taken by all",
        "janitor/wiring/destinations.py",
        (('return f"notify-{digest.hex()}"', 'return "notify"'),),
        (f"{_SERVICES}::test_a_service_gets_each_notice_once_and_another_makes_up_for_what_it_missed",),
    ),
    Mutation(
        "a name is markup to a chat app",
        "janitor/notices/chat_text.py",
        (("return _SPECIAL.sub(_neutralize, printable(text))", "return printable(text)"),),
        ("tests/unit/notices/test_chat_text.py",),
    ),
    Mutation(
        "a text for mailboxes takes the attributes from filter policies",
        "janitor/sinks/sns.py",
        (
            (
                "return {name: value for name, value in self.attributes.items() if value}",
                "return {name: value for name, value in self.attributes.items() if value and not self.is_structured}",
            ),
        ),
        ("tests/unit/notices/test_token_message.py", "tests/integration/test_sns.py"),
    ),
    Mutation(
        "an operator's text reaches into a value",
        "janitor/settings/notice_text.py",
        (("if field in FIELDS and not spec", "if _FIND_BASE(field)[0] in FIELDS and not spec"),),
        ("tests/unit/notices/test_owner_text.py",),
    ),
    Mutation(
        "an operator's text goes out with a token in it",
        "janitor/settings/notice_text.py",
        (("    if reveals_any_token(text, ()):\n", "    if False:\n"),),
        ("tests/unit/notices/test_owner_text.py",),
    ),
    Mutation(
        "whoever was locked out before counts as newly locked out",
        "janitor/notices/today.py",
        (("        elif notice.event is Event.EXPIRED:\n", "        else:\n"),),
        ("tests/unit/notices/test_digest_text.py",),
    ),
)
