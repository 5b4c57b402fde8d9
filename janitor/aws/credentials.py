"""Where a session's credentials come from, and why they do not: each cause in a sentence that names where to look.

botocore's own chain finds them. What it raises on the way is explained here and nowhere else, because only here is it
known who was asked: a variable, a profile, a process, a container's agent, the instance, STS or SSO. Of an error's text
nothing is repeated, for it may hold what the process printed or the agent answered (see `aws_errors`).

Two exit codes: a variable, a profile or a file that is wrong is a ConfigurationError, and so is it that nothing is
configured at all; whoever is configured and fails, or cannot be reached, is a CredentialsError, which is worth a retry.
"""

import http.client
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.credentials
from botocore import exceptions as boto
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from janitor.aws.errors import (
    CREDENTIALS_WAY_OUT,
    DENIALS,
    EXPIRED,
    error_text,
    is_unfit_header,
    origin_of,
    reason_of,
    service_code,
    translated,
)
from janitor.errors import ConfigurationError, CredentialsError, JanitorError
from janitor.tokens.printable import printable

if TYPE_CHECKING:
    import botocore.session

_RELATIVE, _FULL = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_CONTAINER_TOKEN, _CONTAINER_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_ROLE, _IDENTITY_FILE = "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"
_METADATA_ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
_METADATA_NUMBERS = {
    "AWS_METADATA_SERVICE_TIMEOUT": "metadata_service_timeout",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "metadata_service_num_attempts",
}
_METADATA_HOST = "169.254.169.254"
_METADATA_SECONDS = 1.0

# What the three parts are called where they were written.
_IN_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_IN_FILES = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_IN_ANSWERS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
_FILES = {"shared-credentials-file": "credentials_file", "config-file": "config_file"}
# In the order in which botocore looks.
_TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")

_ACTIONS = {
    "AssumeRole": "sts:AssumeRole",
    "AssumeRoleWithWebIdentity": "sts:AssumeRoleWithWebIdentity",
    "GetRoleCredentials": "sso:GetRoleCredentials",
    "CreateToken": "sso-oidc:CreateToken",
    "CreateOAuth2Token": "signin:CreateOAuth2Token",
}
_DENIAL = re.compile(r"User: (\S+) is not authorized to perform: (\S+) on resource: (\S+)")
_STATUS = re.compile(r"Received non 200 response (\d{3}) ")
_AGAIN = "try again later"
_SSO = ("UnauthorizedSSOTokenError", "SSOTokenLoadError", "SSOError", "TokenRetrievalError", "NoAuthTokenError")
# A secret that is shorter is one of a test server, and may be a word of a message.
_SHORTEST_SECRET = 8
_REMOVED = "[removed]"


def hold_credentials(session: "botocore.session.Session", region: str, environment: Mapping[str, str]) -> None:
    """Let a session find its credentials as ever, but say in our words why it cannot, and never let them be shown.

    Args:
        session: of botocore, before it has made a client.
        region: where STS is asked for a role's credentials.
        environment: the variables that botocore reads.
    """
    provider = _Provider(session, region, environment)
    session.register_component("credential_provider", provider)
    session.register("after-call", provider.remove_secrets)


def hold_role(session: "botocore.session.Session", fetcher: AssumeRoleCredentialFetcher, role_arn: str) -> None:
    """Let a session that `hold_credentials` has seen take one role, renewed before it expires, and nothing else.

    Args:
        session: of botocore, before it has made a client.
        fetcher: asks STS for the role's credentials.
        role_arn: the role.
    """
    credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    session.get_component("credential_provider").credentials = credentials
    session.get_component("credential_provider").role_arn = role_arn


class _Provider:
    """What a botocore session asks for credentials, and what cleans the answers to its requests."""

    def __init__(self, session: "botocore.session.Session", region: str, environment: Mapping[str, str]) -> None:
        self._session, self._region, self._environment = session, region, environment
        self._secrets: set[str] = set()
        self.credentials: DeferredRefreshableCredentials | None = None
        self.role_arn: str | None = None

    def load_credentials(self) -> "_Held | None":
        """The first credentials that there are; None where nothing is configured.

        Raises:
            ConfigurationError: a variable, a profile or a file is wrong.
            CredentialsError: whoever should give them does not.
        """
        if self.credentials is not None:
            return _Held(self.credentials, self._place("assume-role"), self._secrets)
        with self._explained(""):
            chain = botocore.credentials.create_credential_resolver(self._session, region_name=self._region)
        for provider in chain.providers:
            method = provider.METHOD or ""
            with self._explained(method):
                if method == "assume-role":
                    self._place(method).check_code_can_be_asked_for()
                credentials = provider.load()
            if credentials is not None:
                return _Held(credentials, self._place(method), self._secrets)
        self._check_instance()
        return None

    def remove_secrets(self, parsed: Mapping[str, Any] | None = None, **_: object) -> None:
        """Take what this session has signed with out of the messages of an answer: a server may repeat a request."""
        answer = parsed if isinstance(parsed, Mapping) else {}
        for error in (answer.get("Error"), *(answer.get("Failed") or ())):
            if isinstance(error, dict):
                for name, text in error.items():
                    if isinstance(text, str):
                        error[name] = self._cleaned(text)

    def _cleaned(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REMOVED)
        return text

    def _place(self, method: str) -> "CredentialSource":
        return CredentialSource(
            method, self._session.profile or "default", self._session, self._environment, self.role_arn
        )

    @contextmanager
    def _explained(self, method: str) -> Iterator[None]:
        with explained(self._place(method)):
            yield

    def _check_instance(self) -> None:
        """Nobody has credentials; botocore takes an instance that could not answer for one that is not there."""
        if self._environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            return
        url = self._session.get_config_variable("ec2_metadata_service_endpoint")
        if url:
            sentence = f"the instance metadata service at {origin_of(url)} gave no credentials"
            way_out = f"{_AGAIN}, or check {_METADATA_ENDPOINT} and the role of the instance"
            raise CredentialsError(sentence, way_out)
        status = metadata_status(_METADATA_HOST)
        if status is not None and status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise CredentialsError(f"the instance metadata service answered {status}", _AGAIN)


def metadata_status(host: str) -> int | None:
    """How an instance's metadata service answers; None where there is none.

    Args:
        host: where to ask; a port may follow.
    """
    connection = http.client.HTTPConnection(host, timeout=_METADATA_SECONDS)
    try:
        connection.request("PUT", "/latest/api/token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "60"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Held:
    """A session's credentials, as botocore has them, that are looked at before anything is signed with them."""

    def __init__(self, credentials: Any, place: "CredentialSource", secrets: set[str]) -> None:
        self._credentials, self._place, self._secrets = credentials, place, secrets
        self._good: object = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._credentials, name)

    def get_frozen_credentials(self) -> Any:
        """As botocore's."""
        with explained(self._place):
            frozen = self._credentials.get_frozen_credentials()
        if frozen != self._good:
            self._secrets |= {
                secret for secret in (frozen.secret_key, frozen.token) if secret and len(secret) >= _SHORTEST_SECRET
            }
            self._place.check((frozen.access_key, frozen.secret_key, frozen.token))
            self._good = frozen
        return frozen

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """As botocore's: what an endpoint may depend on, for example the account."""
        deferred = self._credentials.get_deferred_property(name)

        def value() -> Any:
            with explained(self._place):
                return deferred()

        return value


@contextmanager
def explained(place: "CredentialSource") -> Iterator[None]:
    """Turn whatever stops credentials from being loaded inside the block into an error of ours.

    Args:
        place: who is asked.
    """
    try:
        yield
    except JanitorError:
        raise
    except Exception as error:  # noqa: BLE001  # a process, an agent or a file may make botocore stumble over anything
        raise _Explanation(error, place).error() from None


def flaw_of(text: str) -> str | None:
    """What is wrong with a part of credentials, so that no header can carry it; None where nothing is."""
    if not text:
        return "are empty"
    if "\n" in text or "\r" in text:
        return "hold a line end"
    if not text.isascii():
        return "hold a character that is not ASCII"
    if any(character.isspace() for character in text):
        return "hold a space"
    return None if text.isprintable() else "hold a control character"


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """Who is asked for credentials.

    Attributes:
        method: botocore's name for the way; empty while the ways are being found.
        profile: the profile in use.
        session: botocore's.
        environment: the variables.
        role_arn: the role that was asked for by name, with credentials that were found before; None for any other way.
    """

    method: str
    profile: str
    session: "botocore.session.Session"
    environment: Mapping[str, str]
    role_arn: str | None = None

    @property
    def name(self) -> str:
        """What to call it in a sentence, behind `the credentials from`."""
        if self.role_arn is not None:
            return f"the role {self.role_arn}"
        profile = f"the profile {printable(self.profile)}"
        if self.method in _FILES:
            return f"{profile} in {printable(str(self.session.get_config_variable(_FILES[self.method])))}"
        names = {
            "env": "the environment",
            "custom-process": f"the credential_process of {profile}",
            "assume-role": f"the role of {profile}",
            "assume-role-with-web-identity": f"the web identity of {_ROLE if self._has_identity_variable else profile}",
            "container-role": self.container_variable,
            "iam-role": "the instance metadata service",
            "ec2-credentials-file": "AWS_CREDENTIAL_FILE",
            "boto-config": "the boto configuration",
        }
        return names.get(self.method, profile)

    @property
    def _has_identity_variable(self) -> bool:
        return _IDENTITY_FILE in self.environment

    @property
    def identity_file(self) -> tuple[str, str]:
        """Who names the file with the web identity's token, and its path."""
        if self._has_identity_variable:
            return _IDENTITY_FILE, printable(self.environment[_IDENTITY_FILE])
        path = self.profiles.get(self.profile, {}).get("web_identity_token_file", "")
        return f"web_identity_token_file of the profile {printable(self.profile)}", printable(path)

    @property
    def container_variable(self) -> str:
        """Which variable names the container's agent; botocore prefers the relative one."""
        return _RELATIVE if _RELATIVE in self.environment else _FULL

    @property
    def profiles(self) -> Mapping[str, Mapping[str, str]]:
        """The profiles of the AWS configuration, by name."""
        profiles: Mapping[str, Mapping[str, str]] = self.session.full_config.get("profiles", {})
        return profiles

    def check(self, parts: tuple[str, str, str | None]) -> None:
        """Raise an error where a request's headers cannot carry them: http.client would print them in its own."""
        names = _IN_VARIABLES if self.method == "env" else _IN_FILES if self.method in _FILES else _IN_ANSWERS
        for name, text in zip(names, parts, strict=True):
            # There may be no session token; without the other two botocore would sign with nothing, or not at all.
            flaw = None if text is None and name == names[-1] else flaw_of(text or "")
            if flaw is None:
                continue
            written = self._token_variable if name == "AWS_SESSION_TOKEN" else name
            sentence = f"the credentials from {self.name} {flaw} ({written})"
            if self.method in ("env", *_FILES):
                raise ConfigurationError(sentence, f"write {written} again without it", "credentials")
            raise CredentialsError(sentence, "see who writes them")

    @property
    def _token_variable(self) -> str:
        return next((name for name in _TOKENS if self.environment.get(name)), "AWS_SESSION_TOKEN")

    def check_code_can_be_asked_for(self) -> None:
        """Raise an error where a role wants a code from a person, and there is no terminal to ask for it.

        Without one, `getpass` would take the next line of standard input for the code.
        """
        roles = [name for name in self.chain if "role_arn" in self.profiles[name]]
        wants = next((name for name in roles if "mfa_serial" in self.profiles[name]), None)
        if wants is not None and not _has_terminal():
            sentence = (
                f"the profile {printable(wants)} wants an MFA code (mfa_serial), and there is no terminal to ask on"
            )
            way_out = "take a profile without MFA, or get a session first and give its AWS_SESSION_TOKEN"
            raise ConfigurationError(sentence, way_out, "mfa")

    @property
    def chain(self) -> list[str]:
        """The profile, and those that it takes its credentials from, one after the other."""
        names, name = [], self.profile
        while name in self.profiles and name not in names and "role_arn" in self.profiles[name]:
            names.append(name)
            name = self.profiles[name].get("source_profile", "")
        return [*names, name] if name in self.profiles and name not in names else names

    @property
    def innermost(self) -> "CredentialSource":
        """Of a role that another profile gives the credentials for: who gives that one its own."""
        if self.method != "assume-role" or self.role_arn is not None or not self.chain:
            return self
        name = self.chain[-1]
        profile = self.profiles.get(name, {})
        sources = {"environment": "env", "ecscontainer": "container-role", "ec2instancemetadata": "iam-role"}
        if "credential_source" in profile:
            method = sources.get(profile["credential_source"].lower(), self.method)
        elif "credential_process" in profile:
            method = "custom-process"
        elif "web_identity_token_file" in profile:
            method = "assume-role-with-web-identity"
        elif any(key.startswith("sso_") for key in profile):
            method = "sso"
        else:
            method = "login" if "login_session" in profile else "shared-credentials-file"
        return CredentialSource(method, name, self.session, self.environment)


def _has_terminal() -> bool:
    """Whether `getpass` finds somebody to ask."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


class _Explanation:
    """Our error for one that came up while credentials were loaded."""

    def __init__(self, error: Exception, place: CredentialSource) -> None:
        self._error, self._outer, self._place = error, place, place.innermost

    def error(self) -> JanitorError:  # noqa: PLR0911  # a cause, a sentence
        """Say what happened, where to look, and whether it is worth another try."""
        error, place = self._error, self._place
        if place.method == "":
            return self._settings()
        if isinstance(error, EOFError):
            return ConfigurationError(
                f"no MFA code was given for the profile {printable(self._outer.profile)}", code="mfa"
            )
        if isinstance(error, ClientError):
            return self._refused(error)
        if isinstance(error, BotoCoreError) and (known := self._known(error)) is not None:
            return known
        by_method = {
            "env": self._variables,
            "custom-process": self._process,
            "container-role": self._container,
            "iam-role": self._instance,
            "assume-role-with-web-identity": self._identity,
        }
        if isinstance(error, ResponseParserError):
            return CredentialsError(f"the credentials from {self._outer.name}: the answer is damaged", _AGAIN)
        if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):
            sentence = f"the credentials from {self._outer.name}: the endpoint of STS or SSO is no URL"
            return ConfigurationError(sentence, "check AWS_ENDPOINT_URL and its like, or endpoint_url", "endpoint")
        explain = by_method.get(place.method, self._unknown)
        return explain() or self._unknown()

    def _settings(self) -> JanitorError:
        """What is wrong before anybody is asked: a number of the metadata service, most likely."""
        flaw = self._metadata_flaw()
        if flaw is not None:
            return flaw
        if isinstance(self._error, boto.InvalidIMDSEndpointModeError):
            sentence = f"{_METADATA_ENDPOINT}_MODE is neither IPv4 nor IPv6"
            return ConfigurationError(sentence, "give one of them, or unset it", "credentials")
        if isinstance(self._error, ValueError | boto.InvalidIMDSEndpointError):
            return ConfigurationError(f"{_METADATA_ENDPOINT} is not a URL", "give one as in http://host", "credentials")
        if isinstance(self._error, BotoCoreError):
            return translated(self._error, "reading credentials", None)
        return self._unknown()

    def _metadata_flaw(self) -> JanitorError | None:
        for variable, name in _METADATA_NUMBERS.items():
            where = variable if variable in self._place.environment else f"{name} of the profile"
            try:
                value = self._place.session.get_config_variable(name)
            except ValueError:
                return ConfigurationError(f"{where} is not a number", "give a whole number from 1", "credentials")
            if isinstance(value, int) and value < 1:
                return ConfigurationError(f"{where} is less than 1", "give a whole number from 1", "credentials")
        return None

    def _refused(self, error: ClientError) -> JanitorError:
        """A service did not give what was asked of it with the credentials behind."""
        code = service_code(error.response.get("Error", {}).get("Code"))
        action = _ACTIONS.get(error.operation_name, error.operation_name)
        target = f"the credentials from {self._outer.name}: {action}"
        if code in DENIALS or code == "ForbiddenException":
            denial = _DENIAL.search(str(error.response.get("Error", {}).get("Message", "")))
            whom = f": {denial[1]} may not do it on {denial[3].rstrip('.,;')}" if denial else ""
            return CredentialsError(f"{target} was denied{whom}", f"allow {action}, the role's trust policy included")
        if code in EXPIRED:
            return CredentialsError(f"{target}: what it was asked with has expired", "log in again")
        if code == "InvalidIdentityToken":
            named_by, path = self._place.identity_file
            return CredentialsError(f"{target}: STS does not accept the token in {path}", f"check {named_by}")
        return CredentialsError(f"{target} failed with {code}", _AGAIN)

    def _known(self, error: BotoCoreError) -> JanitorError | None:  # noqa: PLR0911  # a cause, a sentence
        """What means the same, whoever is asked; None for an error that does not."""
        place, profile = self._place, printable(self._place.profile)
        match error:
            case boto.PartialCredentialsError():
                missing = str(error.kwargs.get("cred_var", "a part"))
                sentence = f"the credentials from {place.name} are not complete: {missing} is missing"
                return ConfigurationError(sentence, f"set {missing} too, or take all of them away", "credentials")
            case boto.RefreshWithMFAUnsupportedError():
                sentence = f"the session of {self._outer.name} has ended, and a new one takes another MFA code"
                return CredentialsError(sentence, "run it again")
            case boto.LoginError():
                sentence = f"the login of the profile {profile} has expired, or was never made"
                return CredentialsError(sentence, f"run `aws login{self._profile_option()}`", "login-expired")
            case boto.MissingDependencyException():
                sentence = f"the profile {profile} gets its credentials in a way that needs a package that is not here"
                return ConfigurationError(sentence, "give credentials another way", "credentials")
            case boto.ConfigNotFound() | boto.ConfigParseError() | boto.InvalidConfigError() | boto.ProfileNotFound():
                return translated(error, "reading credentials", None)
        if type(error).__name__ in _SSO:
            sentence = f"the SSO session of the profile {profile} has expired, or was never begun"
            return CredentialsError(sentence, f"run `aws sso login{self._profile_option()}`", "sso-expired")
        if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
            return self._unreachable(error)
        return None

    def _profile_option(self) -> str:
        return "" if self._place.profile == "default" else f" --profile {shlex.quote(self._place.profile)}"

    def _unreachable(self, error: BotoCoreError) -> JanitorError | None:
        if is_unfit_header(error):
            if self._place.method == "container-role":
                return None
            sentence = f"the credentials behind {self._outer.name} hold a line end, or what else no header can hold"
            return ConfigurationError(sentence, "write them again without it", "credentials")
        if self._place.method == "iam-role" and (flaw := self._metadata_flaw()) is not None:
            return flaw
        reason = reason_of(error)
        said = f"{error_text(error)} ({reason})" if reason else error_text(error)
        return CredentialsError(f"the credentials from {self._outer.name}: {said}", f"{_AGAIN}, or check the network")

    def _without_source(self, *variables: str) -> JanitorError:
        """A role that takes its credentials from variables, and none is set."""
        sentence = f"{self._outer.name} takes its credentials from {' or '.join(variables)}, and none is set"
        return ConfigurationError(sentence, "set one, or change credential_source", "credentials")

    def _variables(self) -> JanitorError | None:
        if isinstance(self._error, boto.CredentialRetrievalError):
            return self._without_source("AWS_ACCESS_KEY_ID")
        if isinstance(self._error, RuntimeError):
            return CredentialsError("the credentials from the environment have expired", "log in again")
        if isinstance(self._error, ValueError):
            sentence = "AWS_CREDENTIAL_EXPIRATION is not a date"
            return ConfigurationError(sentence, "give a date as in 2030-01-31T00:00:00Z", "credentials")
        return None

    def _process(self) -> JanitorError | None:  # noqa: PLR0911  # a cause, a sentence
        """A program that the profile names. What it says itself may hold anything."""
        name, error = self._place.name, self._error
        if isinstance(error, OSError):
            sentence = f"{name} cannot be started: {reason_of(error) or type(error).__name__}"
            return ConfigurationError(sentence, "check its path in the AWS configuration", "credentials")
        alone = "run it by itself to see what it prints"
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            return CredentialsError(f"{name} printed no JSON", alone)
        if isinstance(error, boto.CredentialRetrievalError):
            said = str(error.kwargs.get("error_msg", ""))
            lack = "Missing required key in response"
            missing = next((part for part in _IN_ANSWERS if said == f"{lack}: '{part}'"), None)
            if missing is not None:
                return CredentialsError(f"{name} printed no {missing}", alone)
            if said.startswith("Unsupported version"):
                return CredentialsError(f'{name} printed no "Version": 1', alone)
            return CredentialsError(f"{name} failed", "run it by itself to see why")
        if isinstance(error, RuntimeError):
            return CredentialsError(f"{name} printed credentials that have expired", "log in again")
        if isinstance(error, ValueError) and not self._runs():
            sentence = f"{name} is no command line: a quotation mark is not closed"
            return ConfigurationError(sentence, "check it in the AWS configuration", "credentials")
        return CredentialsError(f"{name} printed no credentials", alone)

    def _runs(self) -> bool:
        try:
            shlex.split(self._place.profiles.get(self._place.profile, {}).get("credential_process", ""))
        except ValueError:
            return False
        return True

    def _container(self) -> JanitorError | None:  # noqa: PLR0911  # a cause, a sentence
        """The agent of a container or a pod, which may be asked with a token from a variable or a file."""
        variable, error = self._place.container_variable, self._error
        if variable not in self._place.environment:
            return self._without_source(_RELATIVE, _FULL)
        flaw = self._container_token_flaw()
        if flaw is not None:
            return flaw
        if isinstance(error, boto.CredentialRetrievalError):
            status = _STATUS.search(str(error.kwargs.get("error_msg", "")))
            reason = f"it answered {status[1]}" if status else reason_of(error)
            if reason is None:
                reason = "it answered no JSON" if "parse JSON" in str(error) else "it brought no answer"
            return CredentialsError(f"{self._agent()} gave no credentials: {reason}", _AGAIN)
        if isinstance(error, KeyError | TypeError | AttributeError):
            return CredentialsError(f"{self._agent()} answered something that is no credentials", _AGAIN)
        if isinstance(error, RuntimeError):
            return CredentialsError(f"{self._agent()} gives credentials that have expired", _AGAIN)
        if isinstance(error, ValueError):
            sentence = f"{variable} names no host that credentials may come from"
            way_out = "give one with https, one on loopback, or the agent of ECS or EKS"
            return ConfigurationError(sentence, way_out, "credentials")
        return None

    def _agent(self) -> str:
        variable = self._place.container_variable
        url = self._place.environment.get(variable, "")
        return f"{variable} ({origin_of(url)})" if variable == _FULL else variable

    def _container_token_flaw(self) -> JanitorError | None:
        environment = self._place.environment
        where, token = _CONTAINER_TOKEN, environment.get(_CONTAINER_TOKEN)
        if _CONTAINER_TOKEN_FILE in environment:
            path = environment[_CONTAINER_TOKEN_FILE]
            where = f"{_CONTAINER_TOKEN_FILE} ({printable(path)})"
            try:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123  # an empty path is no folder
                    token = file.read()
            except OSError as error:
                sentence = f"{where} cannot be read: {reason_of(error) or type(error).__name__}"
                return ConfigurationError(sentence, "check the variable", "credentials")
            except ValueError:
                return ConfigurationError(f"{where} holds no text", "check the variable", "credentials")
        flaw = None if token is None else flaw_of(token.replace(" ", ""))
        if flaw is None:
            return None
        said = flaw.replace("hold ", "holds ").replace("are ", "is ")
        return ConfigurationError(f"{where} {said}, which no header can", "write it again without", "credentials")

    def _instance(self) -> JanitorError | None:
        if self._outer.method == "assume-role" and isinstance(self._error, boto.CredentialRetrievalError):
            return CredentialsError(f"{self._outer.name} has its own from {self._place.name}, which gave none", _AGAIN)
        flaw = self._metadata_flaw()
        return flaw or CredentialsError(f"{self._place.name} gave no credentials", _AGAIN)

    def _identity(self) -> JanitorError | None:
        """The token of a service account, which STS takes for a role."""
        named_by, path = self._place.identity_file
        if isinstance(self._error, OSError):
            sentence = f"{named_by} ({path}) cannot be read: {reason_of(self._error) or type(self._error).__name__}"
            return ConfigurationError(sentence, "check its path", "credentials")
        if isinstance(self._error, UnicodeDecodeError):
            return ConfigurationError(f"{named_by} ({path}) holds no text", "check its path", "credentials")
        return None

    def _unknown(self) -> JanitorError:
        error = self._error
        what = error_text(error) if isinstance(error, BotoCoreError) else reason_of(error) or type(error).__name__
        where = f"the credentials from {self._place.name} could not be loaded"
        if isinstance(error, RuntimeError):
            return CredentialsError(f"the credentials from {self._place.name} have expired", "log in again")
        return CredentialsError(f"{where}: {what}", CREDENTIALS_WAY_OUT)
