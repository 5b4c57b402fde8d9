"""No token, and no key of a row, in anything janitor writes: every command, format, log level and error path."""

import hashlib
import itertools
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import boto3
import pytest

from janitor.settings.parsers import FORMATS
from tests.command import Finished, janitor
from tests.servers import Microburst, microburst
from tests.tables import SAMPLE_NOW, Item, create_table, legacy, modern, token

DAY = 86_400
LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "console")
TEXT_FORMATS = tuple(name for name in FORMATS if name != "xlsx")
# A fingerprint has 12 digits, so no longer piece of a hash may be seen.
PIECE = 13

BEARERS = [f"{hashlib.sha512(str(number).encode()).hexdigest()}" for number in range(8)] + [
    "sk-live-Zq8vN2tLw0",
    'weird"quoted"\\key',
    "ключ-🔑-鍵-токен-длинный",
]
SECRETS = {"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCY", "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEJr-session"}


def trapped(make: object, bearer: str, number: int) -> Item:
    """A row in which people have put the token wherever it does not belong."""
    assert callable(make)
    expires: object = SAMPLE_NOW + (number - 5) * 5 * DAY
    traps: list[dict[str, object]] = [
        {"name": bearer},
        {"name": f"my token is {bearer} ok"},
        {"createdBy": bearer, "name": "fine"},
        {"tokenUUID": bearer},
        {"username": f"owner {bearer}"},
        {"name": f"key={bearer}", "createdBy": f"({bearer})"},
        {"name": f'"{bearer}",', "createdBy": f"https://x/?api_key={bearer}"},
        {"username": bearer},
        {"groups": ["users", f"group of {bearer}"]},
    ]
    if number % 7 == 6:
        expires = {"S": bearer}
    item: Item = make(bearer, expires, **traps[number % len(traps)])
    return item


def rows(*, hashed: bool) -> Iterator[Item]:
    for number, bearer in enumerate(BEARERS):
        yield trapped(modern if hashed else token, bearer, number)
        if hashed:
            yield trapped(legacy, f"legacy-{bearer}", number)


def pieces() -> set[str]:
    """Every piece of a bearer token or of a stored key that is longer than a fingerprint."""
    found = set()
    for bearer in BEARERS:
        stored = (bearer, f"legacy-{bearer}", hashlib.sha256(bearer.encode()).hexdigest())
        for secret in stored:
            found |= {secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1)}
    return found


PIECES = pieces()


def assert_silent(*texts: str) -> None:
    """Fail when a text holds a piece of a token; the tokens are made up."""
    for text in texts:
        seen = {text[start : start + PIECE] for start in range(len(text) - PIECE + 1)} & PIECES
        assert not seen, f"a piece of a token was written: {seen}"
        assert not any(secret in text for secret in SECRETS.values()), "a secret of AWS was written"


@pytest.fixture(scope="module")
def proxy(dynamodb_local_url: str) -> Iterator[Microburst]:
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_url)
    for hashed in (True, False):
        create_table(client, f"secret-{hashed}".lower(), hashed=hashed, rows=rows(hashed=hashed))
    with microburst(dynamodb_local_url) as running:
        yield running
    for hashed in (True, False):
        client.delete_table(TableName=f"secret-{hashed}".lower())


def scan(proxy: Microburst, hashed: bool, options: Iterable[str], *, tty: bool = False) -> Finished:  # noqa: FBT001
    where = ("--table", f"secret-{hashed}".lower(), "--endpoint-url", proxy.url, "--as-of", str(SAMPLE_NOW))
    environment = {**SECRETS, "AWS_MAX_ATTEMPTS": "2"}
    return janitor("scan", *where, *options, env=environment, tty=tty, columns=250)


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "classic"])
@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_no_format_shows_a_token(proxy: Microburst, tmp_path: Path, name: str, hashed: bool) -> None:  # noqa: FBT001
    proxy.rules([])
    path = tmp_path / "report"
    finished = scan(proxy, hashed, ["--format", name, "--report", f"{name}={path}"])
    assert finished.code == 0
    assert len(finished.out) > 200
    assert_silent(finished.out, finished.err, path.read_text())
    on_terminal = scan(proxy, hashed, ["--format", name], tty=True)
    assert_silent(on_terminal.out, on_terminal.err)


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "classic"])
def test_no_workbook_shows_a_token(proxy: Microburst, tmp_path: Path, hashed: bool) -> None:  # noqa: FBT001
    proxy.rules([])
    path = tmp_path / "report.xlsx"
    finished = scan(proxy, hashed, ["--format", "none", "--report", f"xlsx={path}"])
    assert finished.code == 0, finished.err
    with zipfile.ZipFile(path) as workbook:
        assert_silent(finished.err, *(workbook.read(name).decode() for name in workbook.namelist()))
    on_terminal = scan(proxy, hashed, ["--format", "xlsx"], tty=True)
    assert on_terminal.code == 2
    assert "--report xlsx=report.xlsx" in on_terminal.err


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "classic"])
@pytest.mark.parametrize(("level", "form"), list(itertools.product(LEVELS, LOG_FORMATS)))
def test_no_log_shows_a_token(proxy: Microburst, level: str, form: str, hashed: bool) -> None:  # noqa: FBT001
    proxy.rules([])
    finished = scan(proxy, hashed, ["--log-level", level, "--log-format", form, "--segments", "2"])
    assert finished.code == 0
    assert level != "debug" or "page.read" in finished.err
    assert_silent(finished.out, finished.err)


@pytest.mark.parametrize("operation", ["Scan", "Query", "DescribeTable"])
@pytest.mark.parametrize(
    "effect",
    [
        {"error": {"code": "AccessDeniedException"}},
        {"error": {"code": "ThrottlingException"}},
        {"error": {"code": "ValidationException", "message": f"key {{'token': {{'S': '{BEARERS[0]}'}}}} is wrong"}},
        {"response": {"truncate_bytes": 400}},
        {"response": {"abort_bytes": 300}},
        {"response": {"set_headers": {"x-amz-crc32": "1"}}},
        {"reset": True},
    ],
)
def test_no_error_shows_a_token(proxy: Microburst, operation: str, effect: dict[str, object]) -> None:
    proxy.rules([{"service": "dynamodb", "operation": operation, **effect}])
    for level in ("debug", "info"):
        finished = scan(proxy, True, ["--log-level", level])  # noqa: FBT003
        assert proxy.fired()
        assert "Traceback" not in finished.err
        assert_silent(finished.out, finished.err)


def swept(proxy: Microburst, table: str, folder: Path, options: Iterable[str]) -> Finished:
    """A sweep that would take every row that may go; the plan and the archive hold tokens, and nothing else may."""
    where = ("--table", table, "--endpoint-url", proxy.url, "--grace", "0s", "--include", "legacy", "--no-archive")
    reckless = ("--max-delete-percent", "100", "--max-deletes", "1000")
    environment = {**SECRETS, "AWS_MAX_ATTEMPTS": "1", "TMPDIR": str(folder)}
    return janitor("sweep", *where, *reckless, *options, env=environment)


@pytest.fixture
def doomed(proxy: Microburst, dynamodb_local_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A table whose rows go."""
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_url)
    proxy.rules([])
    name = f"doomed-{request.param}".lower()
    create_table(client, name, hashed=request.param, rows=rows(hashed=request.param))
    yield name
    client.delete_table(TableName=name)


@pytest.mark.parametrize("doomed", [True, False], indirect=True, ids=["hashed", "classic"])
@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_no_sweep_apply_restore_or_plan_shows_a_token(
    proxy: Microburst, tmp_path: Path, doomed: str, name: str
) -> None:
    plan, archive = tmp_path / "plan", tmp_path / "archive"
    loud = ["--format", name, "--log-level", "debug"]
    dry = swept(proxy, doomed, tmp_path, [*loud, "--plan", str(plan)])
    assert len(plan.read_bytes().splitlines()) > 5
    reckless = ("--max-delete-percent", "100", "--archive", str(archive), "--endpoint-url", proxy.url)
    applied = janitor("apply", str(plan), "--yes", *loud, *reckless, env=SECRETS)
    where = ("--all", "--endpoint-url", proxy.url, "--log-level", "debug")
    restored = [janitor("restore", str(archive), *where, "--format", form, env=SECRETS) for form in ("json", "table")]
    form = name if name in {"json", "ndjson", "csv"} else "table"
    shown = [janitor("plan", "show", str(place), "--format", form, "--log-level", "debug") for place in (plan, archive)]
    for finished in (dry, applied, *restored, *shown):
        assert finished.code == 0, finished.err
        assert_silent(finished.out, finished.err)


@pytest.mark.parametrize("doomed", [True, False], indirect=True, ids=["hashed", "classic"])
@pytest.mark.parametrize("operation", ["BatchExecuteStatement", "DeleteItem", "GetItem"])
@pytest.mark.parametrize(
    "effect",
    [
        {"error": {"code": "AccessDeniedException", "message": f"no {BEARERS[0]}"}},
        {"error": {"code": "ValidationException", "message": f"key {{'token': {{'S': '{BEARERS[0]}'}}}} is wrong"}},
        {"response": {"truncate_bytes": 200}},
        {"response": {"set_headers": {"x-amz-crc32": "1"}}},
        {"reset": True},
    ],
)
def test_no_failing_delete_shows_a_token(
    proxy: Microburst, tmp_path: Path, doomed: str, *, operation: str, effect: dict[str, object]
) -> None:
    proxy.rules([{"service": "dynamodb", "operation": operation, **effect}])
    api = "item" if operation == "DeleteItem" else "auto"
    finished = swept(proxy, doomed, tmp_path, ["--delete", "--yes", "--delete-api", api, "--log-level", "debug"])
    assert finished.out
    assert "Traceback" not in finished.err
    assert_silent(finished.out, finished.err)


def test_the_check_itself_finds_a_token() -> None:
    with pytest.raises(AssertionError):
        assert_silent(f"something {BEARERS[0][20:40]} something")
    assert_silent(hashlib.sha256(BEARERS[0].encode()).hexdigest()[:12])
