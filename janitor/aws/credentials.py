"""Load a session's credentials, and explain every failure in a sentence that names where to look.

botocore's own chain finds the credentials. Its errors are explained here and nowhere else, because only here is the
source known: a variable, a profile, a process, a container's agent, the instance, STS or SSO. An error's own message is
never repeated, because it may hold what the process printed or the agent answered (see `aws_errors`).

There are two kinds of errors, with different exit codes. A wrong variable, profile or file is a ConfigurationError, and
so are missing credentials. A source that is configured but fails or cannot be reached is a CredentialsError: a retry
may help.
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
    is_header_error,
    origin_of,
    reason_of,
    service_code,
    translate_error,
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

# The names of the three parts of credentials, by where they are written.
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
# A shorter secret is that of a test server, and may be an ordinary word of a message.
_MIN_SECRET_LENGTH = 8
_REMOVED = "[removed]"


def install_credential_provider(
    session: "botocore.session.Session", region: str, environment: Mapping[str, str]
) -> None:
    """Make a session explain why it finds no credentials, and never show them; it finds them as usual.

    Args:
        session: botocore's session, before it has made a client.
        region: the region of STS, which gives a role's credentials.
        environment: the variables that botocore reads.
    """
    provider = _CredentialProvider(session, region, environment)
    session.register_component("credential_provider", provider)
    session.register("after-call", provider.remove_secrets)


def install_role(session: "botocore.session.Session", fetcher: AssumeRoleCredentialFetcher, role_arn: str) -> None:
    """Make a session use only one role, whose credentials are renewed before they expire.

    Args:
        session: botocore's session, after `install_credential_provider` and before it has made a client.
        fetcher: asks STS for the role's credentials.
        role_arn: the role.
    """
    credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    session.get_component("credential_provider").credentials = credentials
    session.get_component("credential_provider").role_arn = role_arn


def may_ask_person(session: "botocore.session.Session") -> bool:
    """Whether the session's profile, or one that it takes its credentials from, may ask a person.

    It does for an MFA code. What a `credential_process` asks for (a passphrase, a touch), nobody knows.
    """
    source = CredentialSource("", session.profile or "default", session, {})
    runs_program = any("credential_process" in source.profiles[name] for name in source.chain)
    return runs_program or source.profile_with_code is not None


class _CredentialProvider:
    """Gives a botocore session its credentials, and removes them from the answers to its requests."""

    def __init__(self, session: "botocore.session.Session", region: str, environment: Mapping[str, str]) -> None:
        self._session, self._region, self._environment = session, region, environment
        self._secrets: set[str] = set()
        self.credentials: DeferredRefreshableCredentials | None = None
        self.role_arn: str | None = None

    def load_credentials(self) -> "_CheckedCredentials | None":
        """Load the first credentials in botocore's order; None if nothing is configured.

        Raises:
            ConfigurationError: a variable, a profile or a file is wrong.
            CredentialsError: a configured source gives no credentials.
        """
        if self.credentials is not None:
            return _CheckedCredentials(self.credentials, self._source("assume-role"), self._secrets)
        with explain_errors(self._source("")):
            chain = botocore.credentials.create_credential_resolver(self._session, region_name=self._region)
        for provider in chain.providers:
            method = provider.METHOD or ""
            source = self._source(method)
            with explain_errors(source):
                if method == "assume-role":
                    source.check_mfa_is_possible()
                credentials = provider.load()
            if credentials is not None:
                return _CheckedCredentials(credentials, source, self._secrets)
        self._check_instance()
        return None

    def remove_secrets(self, parsed: Mapping[str, Any] | None = None, **_: object) -> None:
        """Remove this session's secrets from the messages of an answer, because a server may repeat a request."""
        answer = parsed if isinstance(parsed, Mapping) else {}
        for error in (answer.get("Error"), *(answer.get("Failed") or ())):
            if isinstance(error, dict):
                for name, text in error.items():
                    if isinstance(text, str):
                        error[name] = self._remove_secrets_from(text)

    def _remove_secrets_from(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REMOVED)
        return text

    def _source(self, method: str) -> "CredentialSource":
        return CredentialSource(
            method, self._session.profile or "default", self._session, self._environment, self.role_arn
        )

    def _check_instance(self) -> None:
        """Raise an error if an instance's metadata service fails; botocore treats that as if there were no instance."""
        if self._environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            return
        url = self._session.get_config_variable("ec2_metadata_service_endpoint")
        if url:
            sentence = f"the instance metadata service at {origin_of(url)} gave no credentials"
            way_out = f"{_AGAIN}, or check {_METADATA_ENDPOINT} and the role of the instance"
            raise CredentialsError(sentence, way_out)
        status = ask_metadata_status(_METADATA_HOST)
        if status is not None and status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise CredentialsError(f"the instance metadata service answered {status}", _AGAIN)


def ask_metadata_status(host: str) -> int | None:
    """Return the status with which an instance's metadata service answers; None if there is none.

    Args:
        host: its host, with an optional port.
    """
    connection = http.client.HTTPConnection(host, timeout=_METADATA_SECONDS)
    try:
        connection.request("PUT", "/latest/api/token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "60"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _CheckedCredentials:
    """botocore's credentials of a session, checked before anything is signed with them."""

    def __init__(self, credentials: Any, source: "CredentialSource", secrets: set[str]) -> None:
        self._credentials, self._source, self._secrets = credentials, source, secrets
        self._checked: object = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._credentials, name)

    def get_frozen_credentials(self) -> Any:
        """Return the current credentials, and remember their secrets; raise an error if a header cannot carry them."""
        with explain_errors(self._source):
            frozen = self._credentials.get_frozen_credentials()
        if frozen != self._checked:
            self._secrets |= {
                secret for secret in (frozen.secret_key, frozen.token) if secret and len(secret) >= _MIN_SECRET_LENGTH
            }
            self._source.check((frozen.access_key, frozen.secret_key, frozen.token))
            self._checked = frozen
        return frozen

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return a function for a value that an endpoint may depend on, for example the account."""
        deferred = self._credentials.get_deferred_property(name)

        def value() -> Any:
            with explain_errors(self._source):
                return deferred()

        return value


@contextmanager
def explain_errors(source: "CredentialSource") -> Iterator[None]:
    """Turn every error inside the block that keeps credentials from being loaded into one of janitor's.

    Args:
        source: where the credentials are loaded from.
    """
    try:
        yield
    except JanitorError:
        raise
    except Exception as error:  # noqa: BLE001  # a process, an agent or a file may make botocore raise anything
        raise _Explanation(error, source).error() from None


def find_flaw(text: str) -> str | None:
    """Say why no header can carry this part of credentials, as the end of "they …"; None if one can."""
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
    """Where credentials are loaded from.

    Attributes:
        method: botocore's name for the kind of source; empty before the sources are known.
        profile: the profile in use.
        session: botocore's session.
        environment: the environment variables.
        role_arn: the role of --role-arn, which is assumed with credentials found before; None for any other source.
    """

    method: str
    profile: str
    session: "botocore.session.Session"
    environment: Mapping[str, str]
    role_arn: str | None = None

    @property
    def name(self) -> str:
        """Its name in a sentence, after `the credentials from`."""
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
        """The setting that names the file with the web identity's token, and the file's path."""
        if self._has_identity_variable:
            return _IDENTITY_FILE, printable(self.environment[_IDENTITY_FILE])
        path = self.profiles.get(self.profile, {}).get("web_identity_token_file", "")
        return f"web_identity_token_file of the profile {printable(self.profile)}", printable(path)

    @property
    def container_variable(self) -> str:
        """The variable that names the container's agent; botocore prefers the relative one."""
        return _RELATIVE if _RELATIVE in self.environment else _FULL

    @property
    def profiles(self) -> Mapping[str, Mapping[str, str]]:
        """The profiles of the AWS configuration, by name."""
        profiles: Mapping[str, Mapping[str, str]] = self.session.full_config.get("profiles", {})
        return profiles

    def check(self, parts: tuple[str, str, str | None]) -> None:
        """Raise an error if no header can carry the credentials: http.client's own error would show them."""
        names = _IN_VARIABLES if self.method == "env" else _IN_FILES if self.method in _FILES else _IN_ANSWERS
        for name, text in zip(names, parts, strict=True):
            # The session token is optional; without the other two botocore would sign with nothing, or not at all.
            flaw = None if text is None and name == names[-1] else find_flaw(text or "")
            if flaw is None:
                continue
            part = self._token_variable if name == "AWS_SESSION_TOKEN" else name
            sentence = f"the credentials from {self.name} {flaw} ({part})"
            if self.method in ("env", *_FILES):
                raise ConfigurationError(sentence, f"set {part} again without it", "credentials")
            raise CredentialsError(sentence, "check what writes them")

    @property
    def _token_variable(self) -> str:
        return next((name for name in _TOKENS if self.environment.get(name)), "AWS_SESSION_TOKEN")

    def check_mfa_is_possible(self) -> None:
        """Raise an error if a role needs an MFA code from a person, and there is no terminal to ask for it.

        Without a terminal, `getpass` would read the next line of standard input as the code.
        """
        profile = self.profile_with_code
        if profile is not None and not _has_terminal():
            why = "needs an MFA code (mfa_serial), and there is no terminal to ask for it"
            way_out = "use a profile without MFA, or get a session first and set its AWS_SESSION_TOKEN"
            raise ConfigurationError(f"the profile {printable(profile)} {why}", way_out, "mfa")

    @property
    def profile_with_code(self) -> str | None:
        """The first profile of the chain whose role takes an MFA code; None if none does."""
        roles = [name for name in self.chain if "role_arn" in self.profiles[name]]
        return next((name for name in roles if "mfa_serial" in self.profiles[name]), None)

    @property
    def chain(self) -> list[str]:
        """The profile, and the profiles that it takes its credentials from, one after the other."""
        names, name = [], self.profile
        while name in self.profiles and name not in names and "role_arn" in self.profiles[name]:
            names.append(name)
            name = self.profiles[name].get("source_profile", "")
        return [*names, name] if name in self.profiles and name not in names else names

    @property
    def innermost(self) -> "CredentialSource":
        """The source at the end of the chain of profiles: where the credentials to assume the first role come from."""
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
    """Whether `getpass` can ask somebody."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


class _Explanation:
    """Explains an error that was raised while credentials were loaded."""

    def __init__(self, error: Exception, source: CredentialSource) -> None:
        self._error, self._outer, self._source = error, source, source.innermost

    def error(self) -> JanitorError:  # noqa: PLR0911  # one return a cause
        """Build janitor's error: what happened, where to look, and whether a retry may help."""
        error, source = self._error, self._source
        if source.method == "":
            return self._explain_settings()
        if isinstance(error, EOFError):
            return ConfigurationError(
                f"no MFA code was given for the profile {printable(self._outer.profile)}", code="mfa"
            )
        if isinstance(error, ClientError):
            return self._explain_refusal(error)
        if isinstance(error, BotoCoreError) and (explained := self._explain_common(error)) is not None:
            return explained
        by_method = {
            "env": self._explain_variables,
            "custom-process": self._explain_process,
            "container-role": self._explain_container,
            "iam-role": self._explain_instance,
            "assume-role-with-web-identity": self._explain_identity,
        }
        if isinstance(error, ResponseParserError):
            return CredentialsError(f"the credentials from {self._outer.name}: the answer is damaged", _AGAIN)
        if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):
            sentence = f"the credentials from {self._outer.name}: the endpoint of STS or SSO is not a URL"
            return ConfigurationError(sentence, "check AWS_ENDPOINT_URL and its like, or endpoint_url", "endpoint")
        explain = by_method.get(source.method, self._explain_unknown)
        return explain() or self._explain_unknown()

    def _explain_settings(self) -> JanitorError:
        """Explain what fails before any source is asked: most likely a number for the metadata service."""
        error = self._find_metadata_error()
        if error is not None:
            return error
        if isinstance(self._error, boto.InvalidIMDSEndpointModeError):
            sentence = f"{_METADATA_ENDPOINT}_MODE is neither IPv4 nor IPv6"
            return ConfigurationError(sentence, "give one of them, or unset it", "credentials")
        if isinstance(self._error, ValueError | boto.InvalidIMDSEndpointError):
            return ConfigurationError(f"{_METADATA_ENDPOINT} is not a URL", "give one as in http://host", "credentials")
        if isinstance(self._error, BotoCoreError):
            return translate_error(self._error, "reading credentials", None)
        return self._explain_unknown()

    def _find_metadata_error(self) -> JanitorError | None:
        for variable, name in _METADATA_NUMBERS.items():
            where = variable if variable in self._source.environment else f"{name} of the profile"
            try:
                value = self._source.session.get_config_variable(name)
            except ValueError:
                return ConfigurationError(f"{where} is not a number", "give a whole number from 1", "credentials")
            if isinstance(value, int) and value < 1:
                return ConfigurationError(f"{where} is less than 1", "give a whole number from 1", "credentials")
        return None

    def _explain_refusal(self, error: ClientError) -> JanitorError:
        """Explain why a service did not give credentials for those that it was asked with."""
        code = service_code(error.response.get("Error", {}).get("Code"))
        action = _ACTIONS.get(error.operation_name, error.operation_name)
        target = f"the credentials from {self._outer.name}: {action}"
        if code in DENIALS or code == "ForbiddenException":
            denial = _DENIAL.search(str(error.response.get("Error", {}).get("Message", "")))
            whom = f": {denial[1]} may not do it on {denial[3].rstrip('.,;')}" if denial else ""
            return CredentialsError(f"{target} was denied{whom}", f"allow {action}, also in the role's trust policy")
        if code in EXPIRED:
            return CredentialsError(f"{target}: the credentials for it have expired", "log in again")
        if code == "InvalidIdentityToken":
            named_by, path = self._source.identity_file
            return CredentialsError(f"{target}: STS does not accept the token in {path}", f"check {named_by}")
        return CredentialsError(f"{target} failed with {code}", _AGAIN)

    def _explain_common(self, error: BotoCoreError) -> JanitorError | None:  # noqa: PLR0911  # one return a cause
        """Explain an error that means the same for every source; None for any other error."""
        source, profile = self._source, printable(self._source.profile)
        match error:
            case boto.PartialCredentialsError():
                missing = str(error.kwargs.get("cred_var", "a part"))
                sentence = f"the credentials from {source.name} are not complete: {missing} is missing"
                return ConfigurationError(sentence, f"set {missing} too, or remove all of them", "credentials")
            case boto.RefreshWithMFAUnsupportedError():
                sentence = f"the session of {self._outer.name} has ended, and a new one needs another MFA code"
                return CredentialsError(sentence, "run it again")
            case boto.LoginError():
                sentence = f"the login of the profile {profile} has expired, or there was none"
                return CredentialsError(sentence, f"run `aws login{self._profile_option()}`", "login-expired")
            case boto.MissingDependencyException():
                sentence = (
                    f"the profile {profile} gets its credentials in a way that needs a package not installed here"
                )
                return ConfigurationError(sentence, "give credentials another way", "credentials")
            case boto.ConfigNotFound() | boto.ConfigParseError() | boto.InvalidConfigError() | boto.ProfileNotFound():
                return translate_error(error, "reading credentials", None)
        if type(error).__name__ in _SSO:
            sentence = f"the SSO session of the profile {profile} has expired, or there was none"
            return CredentialsError(sentence, f"run `aws sso login{self._profile_option()}`", "sso-expired")
        if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
            return self._explain_unreachable(error)
        return None

    def _profile_option(self) -> str:
        return "" if self._source.profile == "default" else f" --profile {shlex.quote(self._source.profile)}"

    def _explain_unreachable(self, error: BotoCoreError) -> JanitorError | None:
        if is_header_error(error):
            if self._source.method == "container-role":
                return None
            sentence = f"the credentials for {self._outer.name} hold a line end or another invalid character"
            return ConfigurationError(sentence, "set them again without it", "credentials")
        if self._source.method == "iam-role" and (metadata_error := self._find_metadata_error()) is not None:
            return metadata_error
        reason = reason_of(error)
        text = f"{error_text(error)} ({reason})" if reason else error_text(error)
        return CredentialsError(f"the credentials from {self._outer.name}: {text}", f"{_AGAIN}, or check the network")

    def _unset_variables_error(self, *variables: str) -> JanitorError:
        """Build the error for a role that takes its credentials from variables of which none is set."""
        sentence = f"{self._outer.name} takes its credentials from {' or '.join(variables)}, and none is set"
        return ConfigurationError(sentence, "set one, or change credential_source", "credentials")

    def _explain_variables(self) -> JanitorError | None:
        if isinstance(self._error, boto.CredentialRetrievalError):
            return self._unset_variables_error("AWS_ACCESS_KEY_ID")
        if isinstance(self._error, RuntimeError):
            return CredentialsError("the credentials from the environment have expired", "log in again")
        if isinstance(self._error, ValueError):
            sentence = "AWS_CREDENTIAL_EXPIRATION is not a date"
            return ConfigurationError(sentence, "give a date like 2030-01-31T00:00:00Z", "credentials")
        return None

    def _explain_process(self) -> JanitorError | None:  # noqa: PLR0911  # one return a cause
        """Explain a failure of the profile's program, without what it printed: that may hold anything."""
        name, error = self._source.name, self._error
        if isinstance(error, OSError):
            sentence = f"{name} cannot be started: {reason_of(error) or type(error).__name__}"
            return ConfigurationError(sentence, "check its path in the AWS configuration", "credentials")
        way_out = "run it by itself to see what it prints"
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            return CredentialsError(f"{name} printed no JSON", way_out)
        if isinstance(error, boto.CredentialRetrievalError):
            message = str(error.kwargs.get("error_msg", ""))
            lack = "Missing required key in response"
            missing = next((part for part in _IN_ANSWERS if message == f"{lack}: '{part}'"), None)
            if missing is not None:
                return CredentialsError(f"{name} printed no {missing}", way_out)
            if message.startswith("Unsupported version"):
                return CredentialsError(f'{name} printed no "Version": 1', way_out)
            return CredentialsError(f"{name} failed", "run it by itself to see why")
        if isinstance(error, RuntimeError):
            return CredentialsError(f"{name} printed credentials that have expired", "log in again")
        if isinstance(error, ValueError) and not self._is_command_line():
            sentence = f"{name} is not a command line: a quotation mark is not closed"
            return ConfigurationError(sentence, "check it in the AWS configuration", "credentials")
        return CredentialsError(f"{name} printed no credentials", way_out)

    def _is_command_line(self) -> bool:
        try:
            shlex.split(self._source.profiles.get(self._source.profile, {}).get("credential_process", ""))
        except ValueError:
            return False
        return True

    def _explain_container(self) -> JanitorError | None:  # noqa: PLR0911  # one return a cause
        """Explain a failure of a container's or a pod's agent, which may need a token from a variable or a file."""
        variable, error = self._source.container_variable, self._error
        if variable not in self._source.environment:
            return self._unset_variables_error(_RELATIVE, _FULL)
        token_error = self._find_container_token_error()
        if token_error is not None:
            return token_error
        if isinstance(error, boto.CredentialRetrievalError):
            status = _STATUS.search(str(error.kwargs.get("error_msg", "")))
            reason = f"it answered {status[1]}" if status else reason_of(error)
            if reason is None:
                reason = "its answer is not JSON" if "parse JSON" in str(error) else "it did not answer"
            return CredentialsError(f"{self._agent()} gave no credentials: {reason}", _AGAIN)
        if isinstance(error, KeyError | TypeError | AttributeError):
            return CredentialsError(f"{self._agent()} gave an answer that holds no credentials", _AGAIN)
        if isinstance(error, RuntimeError):
            return CredentialsError(f"{self._agent()} gives credentials that have expired", _AGAIN)
        if isinstance(error, ValueError):
            sentence = f"{variable} names a host that credentials may not come from"
            way_out = "give a URL with https, one on loopback, or the agent of ECS or EKS"
            return ConfigurationError(sentence, way_out, "credentials")
        return None

    def _agent(self) -> str:
        variable = self._source.container_variable
        url = self._source.environment.get(variable, "")
        return f"{variable} ({origin_of(url)})" if variable == _FULL else variable

    def _find_container_token_error(self) -> JanitorError | None:
        environment = self._source.environment
        where, token = _CONTAINER_TOKEN, environment.get(_CONTAINER_TOKEN)
        if _CONTAINER_TOKEN_FILE in environment:
            path = environment[_CONTAINER_TOKEN_FILE]
            where = f"{_CONTAINER_TOKEN_FILE} ({printable(path)})"
            try:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123  # Path("") would be the current folder
                    token = file.read()
            except OSError as error:
                sentence = f"{where} cannot be read: {reason_of(error) or type(error).__name__}"
                return ConfigurationError(sentence, "check the variable", "credentials")
            except ValueError:
                return ConfigurationError(f"{where} is not text", "check the variable", "credentials")
        flaw = None if token is None else find_flaw(token.replace(" ", ""))
        if flaw is None:
            return None
        singular = flaw.replace("hold ", "holds ").replace("are ", "is ")
        return ConfigurationError(f"{where} {singular}, which no header can", "set it again without", "credentials")

    def _explain_instance(self) -> JanitorError | None:
        if self._outer.method == "assume-role" and isinstance(self._error, boto.CredentialRetrievalError):
            sentence = f"{self._outer.name} needs credentials from {self._source.name}, which gave none"
            return CredentialsError(sentence, _AGAIN)
        error = self._find_metadata_error()
        return error or CredentialsError(f"{self._source.name} gave no credentials", _AGAIN)

    def _explain_identity(self) -> JanitorError | None:
        """Explain a failure with the token of a service account, which STS exchanges for a role's credentials."""
        named_by, path = self._source.identity_file
        if isinstance(self._error, OSError):
            sentence = f"{named_by} ({path}) cannot be read: {reason_of(self._error) or type(self._error).__name__}"
            return ConfigurationError(sentence, "check its path", "credentials")
        if isinstance(self._error, UnicodeDecodeError):
            return ConfigurationError(f"{named_by} ({path}) is not text", "check its path", "credentials")
        return None

    def _explain_unknown(self) -> JanitorError:
        error = self._error
        if isinstance(error, RuntimeError):
            return CredentialsError(f"the credentials from {self._source.name} have expired", "log in again")
        what = error_text(error) if isinstance(error, BotoCoreError) else reason_of(error) or type(error).__name__
        sentence = f"the credentials from {self._source.name} could not be loaded: {what}"
        return CredentialsError(sentence, CREDENTIALS_WAY_OUT)
