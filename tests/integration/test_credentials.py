"""Credentials: whatever is wrong with them has a sentence that names where to look, and none of them is ever shown."""

import json
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session
import pytest

from janitor.aws.credentials import CredentialSource, ask_metadata_status, explain_errors, find_flaw, may_ask_person
from janitor.errors import ConfigurationError
from tests.command import Finished, janitor

KEY_ID = "AKIDCANARYCANARY7777"
SECRET = "canary-Secret-key-wJalrXUtnFEMI"
TOKEN = "canary-Session-token-FwoGZXIvYXdz"
AGENT = "canary-Agent-token-0123456789"
CANARIES = (KEY_ID, SECRET, TOKEN, AGENT, "canary")

Answer = tuple[int, bytes]


@dataclass
class Stub:
    """A server that answers as it is told, and keeps what it was sent."""

    url: str
    answer: Callable[[BaseHTTPRequestHandler], Answer]
    bodies: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def stub(answer: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.paths.append(self.path)
            running.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)).decode())
            status, body = running.answer(self)
            self.send_response_only(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Stub(f"http://127.0.0.1:{server.server_address[1]}", answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def always(status: int, body: bytes = b"") -> Callable[[BaseHTTPRequestHandler], Answer]:
    return lambda _: (status, body)


def nowhere() -> str:
    """The URL of a port that nobody listens on."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_address[1]}"


@dataclass(frozen=True)
class Aws:
    """The AWS files of a user, and a table's server that no run in this module is meant to reach."""

    folder: Path

    def configure(self, config: str, credentials: str = "") -> dict[str, str | None]:
        """Write both files, and return variables that lead to them and hold no credentials of their own."""
        for name, content in (("config", config), ("credentials", credentials)):
            (self.folder / name).write_text(content)
        return {
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "AWS_ACCESS_KEY_ID": None,
            "AWS_SECRET_ACCESS_KEY": None,
        }

    def program(self, script: str) -> str:
        """Write a program, and return its path."""
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)


@pytest.fixture
def aws(tmp_path: Path) -> Aws:
    return Aws(tmp_path)


def scan(env: Mapping[str, str | None], *options: str, **how: object) -> Finished:
    where = ("--endpoint-url", nowhere(), "--region", "us-east-1")
    return janitor("scan", "--table", "t", *where, *options, env=env, **how)  # type: ignore[arg-type]


def complaint(finished: Finished) -> str:
    """The one line for a person."""
    [line] = [line for line in finished.err.splitlines() if line.startswith("janitor: ")]
    return line


def assert_silent(*texts: str) -> None:
    for text in texts:
        assert not [canary for canary in CANARIES if canary in text], text


def assert_says(finished: Finished, code: int, *words: str) -> None:
    said = complaint(finished)
    assert finished.code == code, finished.err
    missing = [word for word in words if word not in said]
    assert not missing, f"{missing} not in {said}"
    assert_silent(finished.out, finished.err)
    assert "Traceback" not in finished.err
    assert "None is not an endpoint" not in said


IN_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}


@pytest.mark.parametrize("variable", [*IN_ENVIRONMENT, "AWS_SECURITY_TOKEN"])
@pytest.mark.parametrize(
    ("end", "flaw"),
    [
        ("\n", "a line end"),
        ("\r", "a line end"),
        ("\r\nx-evil: 1", "a line end"),
        (" ", "a space"),
        ("\t", "a space"),
        ("\x7f", "a control character"),
        ("é", "a character that is not ASCII"),
    ],
)
def test_what_no_header_can_carry_is_said_without_the_text(variable: str, end: str, flaw: str) -> None:
    environment = {**IN_ENVIRONMENT, variable: f"{IN_ENVIRONMENT.get(variable, TOKEN)}{end}"}
    monitored(environment, 2, f"the credentials from the environment hold {flaw} ({variable})")


def monitored(environment: Mapping[str, str | None], code: int, *words: str) -> None:
    """A scan and the doctor, loud and with a heartbeat: all that they say anywhere is looked through."""
    with stub(always(200, b"OK")) as monitor:
        loud = ("--log-level", "debug", "--heartbeat-url", f"{monitor.url}/ping")
        finished = scan(environment, *loud)
        assert_says(finished, code, *words)
        assert "/ping/fail" in "".join(monitor.paths)
        assert all(word in "".join(monitor.bodies) for word in words)
        assert_silent(*monitor.bodies, *monitor.paths)
    where = ("--table", "t", "--endpoint-url", nowhere(), "--region", "us-east-1")
    checked = janitor("doctor", *where, "--format", "json", "--log-level", "debug", env=environment)
    assert_silent(checked.out, checked.err)
    [check] = [check for check in json.loads(checked.out)["checks"] if check["name"] == "credentials"]
    assert check["status"] == "failed", check
    assert all(word in f"{check['found']}; {check['way_out']}" for word in words), check


def test_a_key_of_a_file_that_no_header_can_carry_names_profile_and_file(aws: Aws) -> None:
    content = (
        f"[night]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\x01\n"
    )
    environment = {**aws.configure("", content), "AWS_PROFILE": "night"}
    place = f"the profile night in {aws.folder / 'credentials'}"
    monitored(environment, 2, f"the credentials from {place} hold a control character (aws_session_token)")


def test_a_role_whose_source_no_header_can_carry_is_said_without_the_text(aws: Aws) -> None:
    config = "[profile night]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
    content = f"{BASE}aws_session_token = {TOKEN}\n  {TOKEN}\n"  # as a configuration file goes on in the next line
    environment = {**aws.configure(config, content), "AWS_PROFILE": "night"}
    with stub(always(400)) as sts:
        monitored({**environment, "AWS_ENDPOINT_URL_STS": sts.url}, 2, "the role of the profile night", "line end")


@pytest.mark.parametrize("field", ["SessionToken", "AccessKeyId"])
def test_what_a_process_prints_with_a_line_end_is_said_without_the_text(aws: Aws, field: str) -> None:
    printed = {"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    printed[field] = f"{printed[field]}\n"
    program = aws.program(f"cat <<'END'\n{json.dumps(printed)}\nEND")
    environment = aws.configure(f"[default]\ncredential_process = {program}\n")
    monitored(environment, 1, f"the credential_process of the profile default hold a line end ({field})")


def test_a_service_that_repeats_the_request_gives_nothing_away() -> None:
    def repeat(request: BaseHTTPRequestHandler) -> Answer:
        headers = "".join(f"{name}:{value}\n" for name, value in request.headers.items())
        said = f"The secret {SECRET} of {TOKEN} is wrong. Canonical String:\n{headers}"
        return 400, json.dumps({"__type": codes[len(server.paths) % len(codes)], "message": said}).encode()

    codes = ["InvalidSignatureException", "ValidationException", "AccessDeniedException", TOKEN]
    with stub(repeat) as server, stub(always(200, b"OK")) as monitor:
        for number in range(len(codes)):
            # Each time another code comes first.
            server.paths[:] = ["/"] * number
            options = ("--endpoint-url", server.url, "--log-level", "debug", "--heartbeat-url", monitor.url)
            finished = janitor("scan", "--table", "t", *options, env=IN_ENVIRONMENT)
            assert finished.code == 1
            assert_silent(finished.out.replace(KEY_ID, ""), finished.err, *monitor.bodies)
            assert "on the table t" in complaint(finished)


EXPIRING = """echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "Expiration": "%s"}'"""


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (f"echo please log in, {SECRET}", 1, ["printed no JSON"]),
        (f"printf '\\377{SECRET}'", 1, ["printed no JSON"]),
        (f"echo {SECRET} >&2; exit 3", 1, ["failed", "run it by itself"]),
        ("printf '\\377' >&2; exit 3", 1, []),
        ("""echo '{"Version": 2}'""", 1, ['"Version": 1']),
        ("""echo '{"Version": 1, "AccessKeyId": "a"}'""", 1, ["printed no SecretAccessKey"]),
        ("echo '[]'", 1, ["printed no credentials"]),
        ("""echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": null}'""", 1, []),
        (EXPIRING % "2001-01-01T00:00:00Z", 1, ["have expired"]),
        (EXPIRING % "canary", 1, []),
    ],
)
def test_a_credential_process_that_gives_none_is_named(aws: Aws, script: str, code: int, words: list[str]) -> None:
    environment = aws.configure(f"[profile night]\ncredential_process = {aws.program(script)}\n")
    finished = scan({**environment, "AWS_PROFILE": "night"})
    assert_says(finished, code, "the credential_process of the profile night", *words)


@pytest.mark.parametrize(("command", "words"), [("/no/such/program", "No such file"), ('"/bin/sh', "quotation mark")])
def test_a_credential_process_that_cannot_be_started_is_wrong_configuration(aws: Aws, command: str, words: str) -> None:
    environment = aws.configure(f"[profile night]\ncredential_process = {command}\n")
    finished = scan(environment, "--profile", "night")
    assert_says(finished, 2, "the credential_process of the profile night", words)


def test_a_process_behind_a_role_is_named_by_its_own_profile(aws: Aws) -> None:
    role = "[profile night]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
    environment = aws.configure(f"{role}[profile base]\ncredential_process = {aws.program('echo no')}\n")
    finished = scan(environment, "--profile", "night")
    assert_says(finished, 1, "the credential_process of the profile base printed no JSON")


NO_KEYS: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
FULL, RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
AGENT_TOKEN, AGENT_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, f"busy {SECRET}", "answered 503"),
        (500, "", "answered 500"),
        (404, "{}", "answered 404"),
        (200, f"<html>{SECRET}", "its answer is not JSON"),
        (200, json.dumps({"AccessKeyId": KEY_ID, "SecretAccessKey": SECRET}), "no credentials"),
        (200, f'["{SECRET}"]', "no credentials"),
    ],
)
def test_an_agent_that_gives_no_credentials_is_worth_another_try(status: int, body: str, words: str) -> None:
    with stub(always(status, body.encode())) as agent:
        environment = {**NO_KEYS, FULL: f"{agent.url}/v1/{AGENT}", AGENT_TOKEN: AGENT}
        assert_says(scan(environment, "--log-level", "debug"), 1, FULL, agent.url, words, "try again later")


def test_an_agent_that_refuses_the_connection_is_worth_another_try() -> None:
    url = nowhere()
    finished = scan({**NO_KEYS, FULL: f"{url}/v1/credentials", AGENT_TOKEN: AGENT})
    assert_says(finished, 1, FULL, url, "Connection refused", "try again later")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0", "é"])
def test_a_token_for_the_agent_that_no_header_can_carry_names_its_file(aws: Aws, end: str) -> None:
    path = aws.folder / "agent-token"
    path.write_bytes(f"{AGENT}{end}".encode())
    environment = {**NO_KEYS, FULL: f"{nowhere()}/x", AGENT_FILE: str(path)}
    monitored(environment, 2, f"{AGENT_FILE} ({path})", "holds a")


@pytest.mark.parametrize("end", ["\n", "é"])
def test_a_token_for_the_agent_in_a_variable_likewise(end: str) -> None:
    monitored({**NO_KEYS, FULL: f"{nowhere()}/x", AGENT_TOKEN: f"{AGENT}{end}"}, 2, f"{AGENT_TOKEN} holds a")


def test_a_file_for_the_agent_that_is_not_there_is_named() -> None:
    finished = scan({**NO_KEYS, FULL: f"{nowhere()}/x", AGENT_FILE: "/no/such/token"})
    assert_says(finished, 2, f"{AGENT_FILE} (/no/such/token) cannot be read: No such file or directory")


def test_a_host_that_gives_no_credentials_is_wrong_configuration() -> None:
    assert_says(
        scan({**NO_KEYS, FULL: f"http://user:{SECRET}@example.com/x"}),
        2,
        FULL,
        "names a host that credentials may not come from",
    )


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AWS_METADATA_SERVICE_TIMEOUT", "soon", "is not a number"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "0", "is less than 1"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "-3", "is less than 1"),
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1.5", "is not a number"),
    ],
)
def test_a_wrong_number_for_the_metadata_service_is_named(variable: str, value: str, words: str) -> None:
    on = {**NO_KEYS, "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": nowhere()}
    assert_says(scan({**on, variable: value}), 2, f"{variable} {words}")


@pytest.mark.parametrize("status", [503, 500, 404, None])
def test_a_metadata_service_that_is_named_and_gives_nothing_is_worth_another_try(status: int | None) -> None:
    with stub(always(status or 0, b"")) as service:
        url = nowhere() if status is None else service.url
        environment = {**NO_KEYS, "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
        assert_says(scan(environment), 1, f"the instance metadata service at {url}", "try again later")


def test_an_instance_that_has_trouble_is_told_from_one_that_is_none() -> None:
    with stub(always(503)) as service:
        assert ask_metadata_status(service.url.removeprefix("http://")) == 503
    assert ask_metadata_status(nowhere().removeprefix("http://")) is None


def test_nothing_configured_is_wrong_configuration() -> None:
    assert_says(scan(NO_KEYS), 2, "no AWS credentials are configured", "AWS_PROFILE")


@pytest.mark.parametrize("missing", ["AWS_SECRET_ACCESS_KEY"])
def test_half_of_the_credentials_names_the_other_half(missing: str) -> None:
    finished = scan({"AWS_ACCESS_KEY_ID": KEY_ID, missing: None})
    assert_says(finished, 2, "the environment", f"{missing} is missing")


def test_half_of_the_credentials_of_a_file_names_profile_and_file(aws: Aws) -> None:
    environment = aws.configure("", f"[default]\naws_access_key_id = {KEY_ID}\n")
    finished = scan(environment)
    assert_says(finished, 2, "the profile default in", str(aws.folder), "aws_secret_access_key is missing")


@pytest.mark.parametrize(
    ("expiration", "code", "words"),
    [("2001-01-01T00:00:00Z", 1, "have expired"), ("canary", 2, "AWS_CREDENTIAL_EXPIRATION is not a date")],
)
def test_an_end_in_the_environment_that_is_over_or_none_is_said(expiration: str, code: int, words: str) -> None:
    assert_says(scan({**IN_ENVIRONMENT, "AWS_CREDENTIAL_EXPIRATION": expiration}), code, words)


MFA = (
    "[profile night]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
    "mfa_serial = arn:aws:iam::123456789012:mfa/me\n"
)
BASE = f"[base]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"


def test_a_profile_with_mfa_says_that_there_is_no_terminal(aws: Aws) -> None:
    finished = scan(aws.configure(MFA, BASE), "--profile", "night", input="123456\n")
    assert_says(finished, 2, "the profile night", "MFA", "no terminal")


def test_a_role_over_a_role_with_mfa_names_the_one_that_asks(aws: Aws) -> None:
    above = "[profile top]\nrole_arn = arn:aws:iam::123456789012:role/y\nsource_profile = night\n"
    finished = scan(aws.configure(f"{above}{MFA}", BASE), "--profile", "top")
    assert_says(finished, 2, "the profile night", "MFA", "no terminal")


@pytest.mark.parametrize(("profile", "asks"), [("top", True), ("night", True), ("base", False), (None, False)])
def test_only_profiles_over_one_with_mfa_may_ask_a_person(
    profile: str | None, *, asks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(
        f"{MFA}[profile top]\nrole_arn = arn:aws:iam::123456789012:role/y\nsource_profile = night\n"
        f"[profile base]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert may_ask_person(botocore.session.Session(profile=profile)) is asks


def test_no_answer_to_the_question_for_a_code_is_said() -> None:
    environment: dict[str, str] = {}
    place = CredentialSource("assume-role", "night", botocore.session.Session(), environment)
    with pytest.raises(ConfigurationError, match="no MFA code was given for the profile night"), explain_errors(place):
        raise EOFError


SSO = (
    "[profile night]\nsso_account_id = 123456789012\nsso_role_name = reader\nsso_session = us\n"
    "[sso-session us]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n"
)
OLD_SSO = (
    '[profile "night shift"]\nsso_account_id = 123456789012\nsso_role_name = reader\n'
    "sso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n"
)


@pytest.mark.parametrize(
    ("config", "profile", "login"),
    [
        (SSO, "night", "`aws sso login --profile night`"),
        (OLD_SSO, "night shift", "`aws sso login --profile 'night shift'`"),
        (SSO.replace("profile night", "default"), "default", "`aws sso login`"),
        (f"{SSO}[profile top]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = night\n", "top", "--profile night`"),
    ],
)
def test_an_sso_session_that_has_ended_names_the_login(aws: Aws, config: str, profile: str, login: str) -> None:
    finished = scan(aws.configure(config), "--profile", profile)
    assert_says(finished, 1, "the SSO session of the profile", login)
    assert "botocore" not in finished.err


ROLE = "[profile night]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"


def test_an_answer_of_sts_that_cannot_be_read_is_worth_another_try(aws: Aws) -> None:
    with stub(always(400)) as sts:
        finished = scan({**aws.configure(ROLE, BASE), "AWS_ENDPOINT_URL_STS": sts.url}, "--profile", "night")
    assert_says(finished, 1, "the role of the profile night: the answer is damaged", "try again later")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", ["sts:AssumeRole was denied", "arn:aws:iam::1:user/me may not", "trust policy"]),
        ("ExpiredToken", ["sts:AssumeRole", "expired", "log in again"]),
        ("ServiceUnavailable", ["sts:AssumeRole failed with ServiceUnavailable", "try again later"]),
        (TOKEN + " and more", ["sts:AssumeRole failed with Unknown"]),
    ],
)
@pytest.mark.parametrize("is_option", [True, False], ids=["--role-arn", "profile"])
def test_a_role_that_is_not_given_is_no_fault_of_the_table(
    aws: Aws, code: str, words: list[str], *, is_option: bool
) -> None:
    denial = (
        "User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/x"
    )
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{denial} {SECRET}</Message></Error></ErrorResponse>"
    arn = "arn:aws:iam::123456789012:role/x"
    options = ("--role-arn", arn, "--profile", "base") if is_option else ("--profile", "night")
    with stub(always(403, body.encode())) as sts:
        finished = scan({**aws.configure(ROLE, BASE), "AWS_ENDPOINT_URL_STS": sts.url}, *options)
    assert_says(finished, 1, f"the role {arn}" if is_option else "the role of the profile night", *words)
    assert "dynamodb" not in complaint(finished)


def test_an_sts_that_cannot_be_reached_is_worth_another_try(aws: Aws) -> None:
    url = nowhere()
    finished = scan({**aws.configure(ROLE, BASE), "AWS_ENDPOINT_URL_STS": url}, "--profile", "night")
    assert_says(finished, 1, "the role of the profile night", url, "Connection refused", "try again later")


def test_a_web_identity_without_its_file_names_variable_and_path() -> None:
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/file", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x"}
    finished = scan({**NO_KEYS, **variables})
    assert_says(finished, 2, "AWS_WEB_IDENTITY_TOKEN_FILE (/no/such/file) cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("[profile night]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = gone\n", ["gone", "does not exist"]),
        ("[profile night]\nrole_arn = arn:aws:iam::1:role/x\ncredential_source = Nobody\n", ["Nobody", "night"]),
        ("[profile night]\nrole_arn = arn:aws:iam::1:role/x\n", ["source_profile or credential_source is missing"]),
        ("[profile night]\nsso_account_id = 1\nsso_role_name = x\nsso_session = gone\n", ["sso-session", "gone"]),
        ("[profile other]\n", ["night", "--profile"]),
        ("no section\n", ["config"]),
    ],
)
def test_a_profile_that_is_wrong_is_named(aws: Aws, config: str, words: list[str]) -> None:
    assert_says(scan(aws.configure(config), "--profile", "night"), 2, *words)


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("no certificate", "holds no certificates that can be read"),
        ("folder", "cannot be read: Is a directory"),
    ],
)
def test_authorities_that_cannot_be_read_are_named(
    tmp_path: Path, variable: str, content: str | None, words: str
) -> None:
    path = tmp_path if content == "folder" else tmp_path / "authorities.pem"
    if content not in (None, "folder"):
        path.write_text(content or "")
    assert_says(scan({variable: str(path)}), 2, f"{variable}: {path} {words}")


def test_authorities_of_a_profile_that_cannot_be_read_are_named(aws: Aws) -> None:
    environment = aws.configure("[default]\nca_bundle = /no/such/file\n", BASE.replace("base", "default"))
    assert_says(scan(environment), 2, "ca_bundle of the AWS profile default: /no/such/file cannot be read")


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_authorities_without_a_name_are_said(variable: str) -> None:
    assert_says(scan({variable: ""}), 2, f"{variable} is empty")


def test_an_endpoint_that_is_none_is_said_without_its_password() -> None:
    finished = janitor("scan", "--table", "t", env={"AWS_ENDPOINT_URL_DYNAMODB": f"user:{SECRET}@host:x"})
    assert_says(finished, 2, "is not an endpoint")


def test_a_table_that_cannot_be_reached_is_said_without_the_password_of_its_url() -> None:
    url = nowhere().replace("http://", f"http://user:{SECRET}@")
    finished = janitor("scan", "--table", "t", "--endpoint-url", url)
    assert_says(finished, 1, "dynamodb:DescribeTable on the table t", "Connection refused")


def test_a_proxy_that_cannot_be_reached_is_said_without_its_password() -> None:
    proxy = nowhere()
    environment = {"HTTPS_PROXY": proxy.replace("http://", f"http://user:{SECRET}@")}
    finished = janitor("scan", "--table", "t", "--region", "us-east-1", env=environment)
    assert_says(finished, 1, "proxy", proxy, "Connection refused", "HTTPS_PROXY")


def test_a_proxy_that_refuses_is_said_by_its_status() -> None:
    with stub(always(407)) as proxy:
        finished = janitor("scan", "--table", "t", "--region", "us-east-1", env={"HTTPS_PROXY": proxy.url})
    assert_says(finished, 1, proxy.url)


ON = {**NO_KEYS, "AWS_EC2_METADATA_DISABLED": None}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_REGION": "us-east-1\n"}, "'us-east-1\\n' is not a region"),
        ({"AWS_REGION": "us east"}, "'us east' is not a region"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9\n"}, "is not an endpoint"),
        ({"AWS_DEFAULTS_MODE": "odd"}, "invalid defaults mode"),
        ({**ON, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[canary"}, "METADATA_SERVICE_ENDPOINT is not a URL"),
        ({**ON, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "canary"}, "METADATA_SERVICE_ENDPOINT is not a URL"),
        ({**ON, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv5"}, "METADATA_SERVICE_ENDPOINT_MODE is neither"),
        ({"AWS_PROFILE": "a\x1b[1m\u202e", **NO_KEYS}, "a\\x1b[1m\\u202e"),
        ({"AWS_CA_BUNDLE": "\x1b[1m"}, "AWS_CA_BUNDLE: \\x1b[1m cannot be read"),
    ],
)
def test_a_variable_that_is_wrong_is_wrong_configuration(variables: dict[str, str | None], words: str) -> None:
    finished = janitor("scan", "--table", "t", env=variables)
    assert_says(finished, 2, words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("EcsContainer", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or"),
        ("Environment", "AWS_ACCESS_KEY_ID, and none is set"),
    ],
)
def test_a_role_whose_source_is_not_set_names_what_to_set(aws: Aws, source: str, words: str) -> None:
    config = f"[profile night]\nrole_arn = arn:aws:iam::1:role/x\ncredential_source = {source}\n"
    assert_says(scan(aws.configure(config), "--profile", "night"), 2, "the role of the profile night", words)


@pytest.mark.parametrize("url", ["http://me:canary@", "socks5://me:canary@127.0.0.1:9", "http://me:canary@host:canary"])
def test_a_proxy_that_is_none_is_said_without_its_password(url: str) -> None:
    finished = janitor("scan", "--table", "t", env={"HTTPS_PROXY": url})
    assert_says(finished, 1, "dynamodb:DescribeTable on the table t", "HTTPS_PROXY")


def test_a_server_without_tls_is_no_matter_of_authorities() -> None:
    with stub(always(200)) as server:
        finished = janitor("scan", "--table", "t", "--endpoint-url", server.url.replace("http:", "https:"))
    assert_says(finished, 1, "wrong version number", "check --endpoint-url")


@pytest.mark.parametrize("text", ["abc/+=", "AKIA-._~"])
def test_what_credentials_are_made_of_has_no_flaw(text: str) -> None:
    assert find_flaw(text) is None
