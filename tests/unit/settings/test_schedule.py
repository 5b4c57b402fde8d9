import contextlib
import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.settings.cron import When
from janitor.settings.output import USAGE_PARAMETER
from janitor.settings.schedule import ScheduleError, load_schedule
from janitor.settings.schedule_keys import SECTIONS
from janitor.settings.schedule_schema import build_schedule_schema
from janitor.settings.toml_lines import KeyLines

_WHOLE = """\
description = "Every night"

[when]
cron = "0 3 * * *"
timezone = "Europe/Berlin"
jitter = "5m"
catch_up = true

[table]
deployment = "prod"

[policy]
expiring_within = "30d"
grace = "14d"
protect_users = ["ci-*", "ops"]

[delete]
enabled = true
max_deletes = 100
max_delete_percent = 12.5

[notify]
thresholds = ["7d", "1d"]

[report]
report = "json=report.json"

[limits]
max_rcu = 100
max_wcu = "none"

[state]
url = "dynamodb://janitor-state"
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "job.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ScheduleError) as raised:
        load_schedule(_file(folder, text))
    return tuple(problem.removeprefix(str(folder) + "/") for problem in raised.value.problems)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    schedule = load_schedule(_file(tmp_path, _WHOLE))
    assert schedule.description == "Every night"
    assert schedule.when == When(cron="0 3 * * *", timezone="Europe/Berlin", jitter=300, catch_up=True)
    assert schedule.tables == ({"deployment": ("prod",)},)
    assert (schedule.is_sweep, schedule.deletes) == (True, True)
    assert schedule.values["expiring_within"] == (30 * 86_400, 7 * 86_400, 86_400)
    assert schedule.values["protect_user"] == ("ci-*", "ops")
    assert (schedule.values["max_deletes"], schedule.values["max_delete_percent"]) == (100, 12.5)
    assert [str(target) for target in schedule.values["report"]] == ["json=report.json"]
    assert (schedule.values["max_rcu"], schedule.values["max_wcu"]) == (100, math.inf)
    assert str(schedule.values["state_url"]) == "dynamodb://janitor-state"


def test_a_key_whose_flag_may_be_bare_says_true(tmp_path: Path) -> None:
    schedule = load_schedule(_file(tmp_path, "[table]\nssm_parameter = true\n[report]\nlast_seen = true"))
    assert schedule.tables == ({"ssm_parameter": "/prod/prod/lisa/tokenTableName"},)
    assert schedule.values["last_seen"] == USAGE_PARAMETER
    report = build_schedule_schema()["properties"]["report"]["properties"]
    assert {"const": True} in report["last_seen"]["oneOf"]


def test_thresholds_by_themselves_leave_the_horizon_as_it_is_by_default(tmp_path: Path) -> None:
    schedule = load_schedule(_file(tmp_path, '[notify]\nthresholds = "14d"'))
    assert schedule.values["expiring_within"] == (30 * 86_400, 7 * 86_400, 86_400, 14 * 86_400)


def test_the_lines_of_many_mistakes_are_found_in_one_pass(tmp_path: Path) -> None:
    keys = "".join(f"key{number} = 1\n" for number in range(5_000))
    assert _problems(tmp_path, f"[report]\n{keys}")[-1].startswith("job.toml, line 5001: [report] key4999: an unknown")


def test_an_empty_file_is_a_scan_that_nothing_fires(tmp_path: Path) -> None:
    schedule = load_schedule(_file(tmp_path, ""))
    assert (schedule.is_sweep, schedule.deletes, schedule.when, schedule.tables) == (False, False, When(), ({},))


@pytest.mark.parametrize("delete", ["[delete]", "[delete]\nenabled = false"])
def test_a_section_to_delete_by_itself_is_a_dry_run(tmp_path: Path, delete: str) -> None:
    schedule = load_schedule(_file(tmp_path, delete))
    assert (schedule.is_sweep, schedule.deletes) == (True, False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[policy]\n\ngrase = '7d'", "job.toml, line 3: [policy] grase: an unknown key; did you mean 'grace'?"),
        ("[policy]\nmax_deletes = 5", "line 2: [policy] max_deletes: an unknown key; it belongs to [delete] max_d"),
        ("[plicy]\ngrace = '7d'", "job.toml, line 1: [plicy]: an unknown section; did you mean 'policy'?"),
        ("[notify]\ntext = '''\nRenew {nam}\n'''", "[notify] text: '{nam}' is no field; did you mean {name}?"),
        ("descripton = 'x'", "job.toml, line 1: descripton: an unknown key; did you mean 'description'?"),
        ("description = 7", "job.toml, line 1: description: give a text in quotes"),
        ("[when]\ncron = '0 3 * *'", "job.toml, line 2: [when] cron: '0 3 * *' is not a cron line"),
        ("[when]\ntimezone = 'Mars'", "job.toml, line 2: [when] timezone: there is no time zone 'Mars'"),
        ("[delete]\nmax_deletes = -1", "line 2: [delete] max_deletes: '-1' is not a whole number from 0"),
        ("[delete]\nmax_deletes = true", "line 2: [delete] max_deletes: give a number, not true"),
        ("[limits]\nmax_rcu = 0", "line 2: [limits] max_rcu: '0' is neither a number of units from 0.001, nor 'none'"),
        ("[delete]\nenabled = 'yes'", "job.toml, line 2: [delete] enabled: give true or false"),
        ("[delete]\nenabled = 1", "job.toml, line 2: [delete] enabled: give true or false"),
        ("[delete]\ndry_run = true", "[delete] dry_run: an unknown key; [delete] enabled = false makes it a dry run"),
        ("[delete]\nyes = true", "job.toml, line 2: [delete] yes: an unknown key"),
        ("[policy]\ngrace = 7", 'job.toml, line 2: [policy] grace: give a text in quotes, like "7d", not 7'),
        ("[report]\nlast_seen = false", "line 2: [report] last_seen: give a text in quotes, not false"),
        ("[report]\nlast_seen = 'a'", "line 2: [report] last_seen: 'a' is neither a table's name (3 to 255 letters"),
        ("[policy]\ngrace = ''", "job.toml, line 2: [policy] grace: it is empty"),
        ("[policy]\ndialect = 'hased'", "line 2: [policy] dialect: 'hased' is none of auto, classic, hashed; did you"),
        ("[policy]\nexpiring_within = ['30d', '7x']", "line 2: [policy] expiring_within: '7x' is not a duration"),
        ("policy = 'x'", "job.toml, line 1: policy: give a section [policy]"),
        ("policy = { grase = '7d' }", "job.toml, line 1: [policy] grase: an unknown key"),
        ("policy.grase = '7d'", "job.toml, line 1: [policy] grase: an unknown key"),
        ("[table]\ntable = 'a'\ndeployment = 'b'", "line 3: [table] deployment: table and deployment both name"),
        ("[[table]]\ntable = 'a'\n[[table]]\nregion = 'r'", "job.toml, line 3: [table]: it names no table"),
        ("[[table]]\ntable = 'a'\n[[table]]\ntabel = 'r'", "job.toml, line 4: [table] tabel: an unknown key"),
        ("[[policy]]\ngrace = '7d'", "job.toml, line 1: [policy]: give one section [policy]"),
        ("[[table]]\ntable = 'a'\n[[table]]\ntable = 'a'", "job.toml, line 3: [table]: the same table again"),
        ("[table]\ndeployment = ['a', 'b', 'a']", "job.toml, line 2: [table] deployment: the same deployment twice"),
        ("a = " + "[" * 900 + "]" * 900, "job.toml: not TOML: nested too deeply"),
        ("[delete]\nmax_deletes = " + "9" * 5_000, "job.toml: not TOML: nested too deeply, or a number too long"),
        ("[when\n", "job.toml: not TOML: Expected ']' at the end of a table declaration (at line 1"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in _problems(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[report]\nreport = 'json={table}.json'", "report"),
        ("[report]\nreport = ['csv=s3://b/{region}.csv', 'html=x.html']", "report"),
        ("[delete]\nplan = 'plan.ndjson'", "plan"),
        ("[delete]\narchive = 'archive.ndjson'", "archive"),
    ],
)
@pytest.mark.parametrize(
    "tables", ["[[table]]\ntable = 'a'\n[[table]]\ntable = 'b'\n", "[table]\ndeployment = ['a', 'b']\n"]
)
def test_what_several_tables_cannot_share_is_said(tmp_path: Path, text: str, key: str, tables: str) -> None:
    (problem,) = _problems(tmp_path, tables + text)
    assert f"{key}: " in problem
    assert "several tables would share it" in problem or "one report covers all tables" in problem
    assert load_schedule(_file(tmp_path, text)).values
    together = (
        "[report]\nreport = 'json={date}.json'\n[delete]\narchive = 'archive/'\n"
        "[notify]\nmetrics = ['emf', 'prometheus=m.prom']\nheartbeat_url = 'https://monitor.example/1'\n"
    )
    assert load_schedule(_file(tmp_path, tables + together)).tables


def test_an_archive_that_nobody_can_look_at_is_no_folder_and_no_crash(tmp_path: Path) -> None:
    tables = "[[table]]\ntable = 'a'\n[[table]]\ntable = 'b'\n"
    (problem,) = _problems(tmp_path, f"{tables}[delete]\narchive = '{'x' * 300}'")
    assert f"archive: {'x' * 300}: several tables would share it" in problem


def test_every_problem_is_kept_and_the_first_tells_how_to_see_the_others(tmp_path: Path) -> None:
    text = "[policy]\ngrase = '7d'\ngrace = '7x'\n[delete]\nmax_deletes = -1"
    assert len(_problems(tmp_path, text)) == 3
    with pytest.raises(ScheduleError, match=r"2 more: `janitor run .*job.toml --check` prints them all"):
        load_schedule(tmp_path / "job.toml")


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match="cannot be read: No such file"):
        load_schedule(tmp_path / "none.toml")
    os.mkfifo(tmp_path / "fifo.toml")
    for path in (tmp_path / "fifo.toml", tmp_path, Path(os.devnull)):
        with pytest.raises(ScheduleError, match="it is not a regular file"):
            load_schedule(path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScheduleError, match="not UTF-8"):
        load_schedule(tmp_path / "binary.toml")


@given(st.text(alphabet="[]=\"'\n#ab.{} 1", max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ScheduleError):
        assert load_schedule(path).path == path


def test_a_line_within_a_long_text_is_no_key() -> None:
    text = 'description = """\ngrace = 1\n[policy]\n"""\n[policy]\ngrace = "7x"\n'
    places = KeyLines(text)
    assert places.line_of("policy") == 5
    assert places.line_of("policy", "grace") == 6
    assert places.line_of("policy", "missing") is None


def test_the_schema_names_every_key_and_no_other() -> None:
    schema = json.loads(json.dumps(build_schedule_schema()))
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"description", *SECTIONS}
    for name, keys in SECTIONS.items():
        section = schema["properties"][name]
        section = section["oneOf"][0] if name == "table" else section
        assert set(section["properties"]) == set(keys)
        assert section["additionalProperties"] is False
