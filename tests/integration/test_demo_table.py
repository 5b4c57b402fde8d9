"""The embedded DynamoDB of the demo, as a real process: what it listens on, what it knows, and that it ends."""

import ipaddress
import os
import re
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.demo import emulator
from janitor.demo.emulator import Emulator, run_emulator, stop_emulator
from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table, make_rows
from tests.command import is_running
from tests.tables import SAMPLE_NOW

LISTENING = "0A"  # in /proc/net/tcp
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc, which only Linux has")
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAPARENT",
    "AWS_SECRET_ACCESS_KEY": "parent-secret-key",
    "AWS_SESSION_TOKEN": "parent-session-token",
    "AWS_PROFILE": "parent-profile",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "parent-token-file",
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """An emulator that was started by somebody with credentials, and with settings that ministack would heed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SECRETS, "AUTH": "true", "USE_SSL": "1", "PERSIST_STATE": "1"}.items():
            patch.setenv(name, value)
        made = emulator.start_emulator()
    yield made
    stop_emulator(made)


@pytest.fixture
def client_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Emulator], DynamoDBClient]:
    """Gives a client of an emulator that knows nothing but its environment."""

    def made(of: Emulator) -> DynamoDBClient:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in of.environment.items():
            monkeypatch.setenv(name, value)
        client: DynamoDBClient = boto3.client("dynamodb")
        return client

    return made


def key_of(item: Any) -> str:
    key: str = item["token"]["S"]
    return key


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def port_of(made: Emulator) -> int:
    return int(made.endpoint_url.rpartition(":")[2])


def listening_addresses(pid: int) -> list[tuple[str, int]]:
    """Return the addresses and ports that the process listens on, of TCP and UDP, of IPv4 and IPv6."""
    links = [link for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    sockets = {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())))}
    addresses = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        table = Path(f"/proc/{pid}/net/{protocol}")
        for fields in (line.split() for line in table.read_text().splitlines()[1:] if table.exists()):
            if fields[9] in sockets and (fields[3] == LISTENING or protocol.startswith("udp")):
                host, _, port = fields[1].partition(":")
                addresses.append((_readable(host), int(port, 16)))
    return addresses


def _readable(host: str) -> str:
    # Words of 32 bits, each in the order of this machine.
    words = [bytes.fromhex(host[start : start + 8]) for start in range(0, len(host), 8)]
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ipaddress.ip_address(packed))


@ON_LINUX
def test_it_listens_on_one_loopback_port_and_nowhere_else(shared: Emulator) -> None:
    assert listening_addresses(shared.pid) == [("127.0.0.1", port_of(shared))]


@ON_LINUX
def test_the_check_of_listening_addresses_sees_others_too() -> None:
    with (
        socket.create_server(("", 0)) as everywhere,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as v6,
    ):
        seen = listening_addresses(os.getpid())
        assert ("0.0.0.0", everywhere.getsockname()[1]) in seen  # noqa: S104 - what must not be there
        assert ("::1", v6.getsockname()[1]) in seen


@ON_LINUX
def test_it_knows_nothing_of_the_credentials_of_whoever_started_it(shared: Emulator) -> None:
    environment = Path(f"/proc/{shared.pid}/environ").read_text()
    variables = dict(entry.partition("=")[::2] for entry in environment.split("\0"))
    assert {name: value for name, value in variables.items() if name.startswith("AWS_")} == {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    assert [value for value in SECRETS.values() if value in environment] == []
    assert variables.keys().isdisjoint({"AUTH", "USE_SSL", "PERSIST_STATE"})


@ON_LINUX
def test_it_cannot_reach_docker_whose_containers_it_would_remove(shared: Emulator) -> None:
    environment = Path(f"/proc/{shared.pid}/environ").read_text()
    [address] = re.findall(r"\0DOCKER_HOST=unix://([^\0]+)", f"\0{environment}")
    assert not Path(address).exists()


@ON_LINUX
def test_it_holds_on_to_no_folder_and_no_terminal(shared: Emulator) -> None:
    process = Path(f"/proc/{shared.pid}")
    assert (process / "cwd").readlink() == Path("/")
    assert (process / "fd" / "0").readlink() == Path(os.devnull)
    assert str((process / "fd" / "1").readlink()).endswith("(deleted)")


def test_ctrl_c_in_the_terminal_does_not_reach_it(shared: Emulator) -> None:
    assert os.getsid(shared.pid) == shared.pid


def test_its_environment_is_all_that_a_client_needs(shared: Emulator) -> None:
    assert shared.endpoint_url.startswith("http://127.0.0.1:")
    assert shared.environment == {
        "AWS_ENDPOINT_URL": shared.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.mark.parametrize("dialect", ["hashed", "classic"])
def test_every_row_arrives_as_it_was_made(
    shared: Emulator, client_of: Callable[[Emulator], DynamoDBClient], dialect: str
) -> None:
    client, name = client_of(shared), TABLE_NAMES[dialect]
    expected = make_rows(SAMPLE_NOW, dialect)

    says_how_many = create_lisa_table(client, name, dialect, SAMPLE_NOW) == len(expected)
    arrived = client.scan(TableName=name)["Items"]

    are_the_same = sorted(arrived, key=key_of) == sorted(expected, key=key_of)
    assert says_how_many
    assert are_the_same
    table = client.describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert ("GlobalSecondaryIndexes" in table) == (dialect == "hashed")


def test_rows_of_a_hashed_table_are_found_by_their_owner(
    shared: Emulator, client_of: Callable[[Emulator], DynamoDBClient]
) -> None:
    client = client_of(shared)
    create_lisa_table(client, "by-owner", "hashed", SAMPLE_NOW)
    items = client.query(
        TableName="by-owner",
        IndexName="username-index",
        KeyConditionExpression="username = :owner",
        ExpressionAttributeValues={":owner": {"S": "build-bot"}},
    )["Items"]
    assert Counter(item["isSystemToken"]["BOOL"] for item in items) == {True: 9}


def test_it_is_no_more_than_what_janitor_talks_to(
    shared: Emulator, client_of: Callable[[Emulator], DynamoDBClient]
) -> None:
    client_of(shared)  # for the environment that it sets
    assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert boto3.client("sns").list_topics()["Topics"] == []
    with pytest.raises(ClientError):
        boto3.client("lambda").list_functions()


def test_it_is_reached_in_spite_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, client_of: Callable[[Emulator], DynamoDBClient]
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "corp.invalid")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with run_emulator() as made:
        monkeypatch.setenv("no_proxy", "")  # so that it is put back afterwards
        assert client_of(made).list_tables()["TableNames"] == []


def test_it_is_gone_after_the_block_with_all_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with run_emulator() as made:
        assert is_running(made.pid)
    assert not is_running(made.pid)
    assert list(tmp_path.iterdir()) == []
    stop_emulator(made)  # once more does no harm


def test_a_kept_one_answers_after_the_block(client_of: Callable[[Emulator], DynamoDBClient]) -> None:
    with run_emulator(keep=True) as made:
        pass
    try:
        assert client_of(made).list_tables()["TableNames"] == []
    finally:
        stop_emulator(made)
    assert not is_running(made.pid)


def test_a_port_that_another_program_takes_first_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports = iter([taken, free_port()])
        monkeypatch.setattr(emulator, "_find_free_port", lambda: next(ports))
        monkeypatch.setattr(emulator, "_ANSWER_SECONDS", 0.2)
        with run_emulator() as made:
            assert port_of(made) != taken


def test_another_emulator_on_the_port_is_not_mistaken_for_ours(
    shared: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([port_of(shared), free_port()])
    monkeypatch.setattr(emulator, "_find_free_port", lambda: next(ports))
    with run_emulator() as made:
        assert port_of(made) != port_of(shared)
    assert is_running(shared.pid)
