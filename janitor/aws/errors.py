"""Translate botocore's errors into janitor's, here and nowhere else: the call, the resource, and the way out.

The messages of botocore, urllib3 and http.client may hold a whole header, and with it a credential. So they are never
shown. Shown are only botocore's own template with values that are known to be harmless (`error_text`), the reason that
the operating system or OpenSSL gives (`reason_of`), and a service's message up to the first name of a header
(`service_text`).
"""

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from janitor.errors import AwsError, ConfigurationError, CredentialsError, JanitorError
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys

THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
DENIALS = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
UNKNOWN_OPERATIONS = frozenset({"UnknownOperationException", "UnknownOperation", "InvalidAction"})
# Temporary errors of a request as a whole: the server may have received it or not, and the next try may succeed.
TRANSIENT_ERRORS = THROTTLES | {
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TransactionConflictException",
    "unreachable",
    "corrupt-page",
    "corrupt-answer",
    "ResponseParserError",
}
STATEMENT_THROTTLES = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"})
# Temporary errors of one statement in a batch (API reference, BatchStatementError): it did nothing, and the next try
# may succeed.
TRANSIENT_STATEMENT_ERRORS = STATEMENT_THROTTLES | {"InternalServerError", "TransactionConflict"}
NO_BUCKET = "NoSuchBucket"
NOT_FOUND = frozenset({"ResourceNotFoundException", "ParameterNotFound"})

EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "RequestExpired"})
_BAD_CREDENTIALS = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationTokenException",
        "InvalidAccessKeyId",
    }
)

CREDENTIALS_WAY_OUT = "set AWS_PROFILE or AWS_ACCESS_KEY_ID, give --profile NAME, or run where a role is attached"
_SIGNATURE = f"check the clock of this machine, and its credentials: {CREDENTIALS_WAY_OUT}"
_LIMITED_BY = {
    "dynamodb:Scan": "--max-rcu",
    "dynamodb:PartiQLDelete": "--max-wcu",
    "dynamodb:DeleteItem": "--max-wcu",
}
_NETWORK = "check --endpoint-url, --region and the network"
_ANY_URL = "check --endpoint-url, HTTPS_PROXY and HTTP_PROXY, and the network"
_CERTIFICATES = "if a proxy or the endpoint has a private certificate authority, set AWS_CA_BUNDLE to its certificates"
_PROXIES = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_HEADERS = "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or their values in the profile, for a line end or a space"

# The values in botocore's errors that may be shown: names that the user or AWS chose, never a header or a body.
_SHOWN = frozenset(
    {
        "api_version",
        "cred_var",
        "data_path",
        "expected_bytes",
        "actual_bytes",
        "operation_name",
        "path",
        "profile",
        "provider",
        "region_name",
        "service_name",
        "source_profile",
        "tags",
        "valid_modes",
        "visited_profiles",
    }
)
_SHOWN_URLS = frozenset({"endpoint_url", "proxy_url", "endpoint"})
_HIDDEN = "…"
# botocore's messages about profiles, which hold nothing but names besides their fixed words.
_KNOWN_TEXTS = re.compile(
    r"""The profile "[^"]*" contains both source_profile and credential_source\.|"""
    r"""The credential source "[^"]*" referenced in profile "[^"]*" is not valid\.|"""
    r"""The source_profile "[^"]*" referenced in the profile "[^"]*" does not exist\.|"""
    r"""The source profile "[^"]*" must have credentials\.|"""
    r"""The profile "[^"]*" is configured to use SSO but is missing required configuration: [a-z_, ]+|"""
    r"""The specified sso-session does not exist: "[^"]*"|"""
    r"""The value for [a-z_]+ is inconsistent between profile(?= )|"""
    r"""The provided profile or the current environment is configured to assume role with web identity """
    r"""but has no role ARN configured\."""
)
# In its answer to a wrong signature AWS repeats the request that it would have signed, header by header.
_HEADER = re.compile(
    r"\W*(?:the )?(?:canonical (?:string|request)|string[- ]to[- ]sign|authorization\b|x-amz-|security-token|"
    r"credential=|signature=|cookie\b).*",
    re.IGNORECASE | re.DOTALL,
)
# AWS's sentence about a denial (IAM user guide, "Troubleshoot access denied error messages").
_DENIAL = re.compile(
    r"User: (?P<user>\S+) is not authorized to perform: \S+(?: on resource: \S+)?(?: (?P<reason>(?:because|with) .*))?"
).fullmatch
_NOT_ALLOWED = "because no identity-based policy allows"
_CODE = re.compile(r"[A-Za-z0-9_.:#/-]{1,100}")
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_MAX_CAUSES = 20


@contextmanager
def aws_errors(call: str, resource: str | None = None) -> Iterator[None]:
    """Translate botocore's errors inside the block.

    Args:
        call: the permission that the call needs, for example `dynamodb:Scan`.
        resource: the table or parameter that it is for.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translate_error(error, call, resource) from None
    except (ValueError, KeyError, ResponseParserError) as error:
        # botocore's parser did not notice that the answer is damaged, or a value is missing in a truncated answer.
        target = f"{call} on {resource}" if resource else call
        sentence = f"{target}: the answer is damaged ({type(error).__name__})"
        raise AwsError(sentence, "run it again", "corrupt-answer") from None


def translate_error(error: BotoCoreError | ClientError, call: str, resource: str | None) -> JanitorError:
    """Return janitor's error for one of botocore's.

    Args:
        error: what botocore raised.
        call: the permission that the call needs, for example `dynamodb:Scan`.
        resource: the table, parameter or URL that it was for.
    """
    target = f"{call} on {resource}" if resource else call
    if isinstance(error, ClientError):
        return _translate_service_error(error, call, target, resource)
    for kinds, build in _LOCAL_ERRORS:
        if isinstance(error, kinds):
            return build(error, target)
    return AwsError(f"{target}: {error_text(error)}", code=type(error).__name__)


def error_text(error: BotoCoreError) -> str:
    """Return the message of botocore's error without values that could hold a credential; else its class name."""
    values: Mapping[str, Any] = error.kwargs
    if known := _KNOWN_TEXTS.match(str(values.get("error_msg", ""))):
        return printable(known[0].rstrip("."))
    named = {name for _, name, _, _ in Formatter().parse(error.fmt) if name}
    if named and not named & (_SHOWN | _SHOWN_URLS):
        return type(error).__name__
    redacted = {name: _redact_value(name, values.get(name)) for name in named}
    return printable(remove_keys(" ".join(error.fmt.format(**redacted).split()))).rstrip(f" .:{_HIDDEN}")


def _redact_value(name: str, value: object) -> str:
    if name in _SHOWN_URLS:
        return origin_of(str(value))
    return str(value) if name in _SHOWN else _HIDDEN


def origin_of(url: str) -> str:
    """Return a URL's scheme, host and port: the rest may hold a password or a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    host = parts.netloc.rpartition("@")[2]
    if not host:
        return _HIDDEN
    return printable(f"{parts.scheme}://{host}")


def list_causes(error: BaseException) -> Iterator[BaseException]:
    """List an exception and all that caused it, however they are attached to it."""
    waiting, count = [error], 0
    while waiting and count < _MAX_CAUSES:
        cause = waiting.pop(0)
        count += 1
        yield cause
        values = getattr(cause, "kwargs", {})
        linked = (values.get("error") if isinstance(values, Mapping) else None, getattr(cause, "reason", None))
        waiting += [
            each
            for each in (*linked, *cause.args, cause.__cause__, cause.__context__)
            if isinstance(each, BaseException)
        ]


def reason_of(error: BaseException) -> str | None:
    """Return the reason that the operating system, OpenSSL or a proxy gives for an error; None if none does."""
    return next((reason for cause in list_causes(error) if (reason := _system_reason(cause))), None)


def _system_reason(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "reason", None) or "tls failed").replace("_", " ").lower()
    if not isinstance(error, OSError):
        return None
    # A library raised this OSError with its own message, of which only the one about a proxy is known to be harmless.
    if error.args[1:]:
        return error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    tunnel = _TUNNEL.match(str(error))
    return f"the proxy answered {tunnel[1]}" if tunnel else None


def is_header_error(error: BaseException) -> bool:
    """Whether a request could not be sent because one of its headers holds an invalid character."""
    return any(
        isinstance(cause, UnicodeEncodeError)
        or (isinstance(cause, ValueError) and str(cause).startswith("Invalid header"))
        for cause in list_causes(error)
    )


def service_text(message: object) -> str:
    """Return a service's message on one line, without row keys and without headers of the request that it repeats."""
    return printable(remove_keys(_HEADER.sub("", " ".join(str(message).split()))))


def service_code(code: object) -> str:
    """Return a service's error code; `Unknown` for anything that does not look like one."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "Unknown"


def _translate_service_error(error: ClientError, call: str, target: str, resource: str | None) -> JanitorError:
    details = error.response.get("Error", {})
    code, message = service_code(details.get("Code")), service_text(details.get("Message", ""))
    if code in DENIALS:
        return AwsError(
            f"{target} was denied", f"allow {call.split(maxsplit=1)[0]} on it{_describe_denial(message)}", code
        )
    if code in NOT_FOUND or code == NO_BUCKET:
        missing = f"{resource}: there is no such bucket" if code == NO_BUCKET else f"{resource} does not exist here"
        return ConfigurationError(missing, "check the name, --region and the account", code)
    if code in EXPIRED:
        return AwsError(f"{target}: the session's credentials have expired", "log in again", code)
    if code in _BAD_CREDENTIALS:
        answer = f"{code}: {message}" if message else code
        sentence = f"{target}: AWS does not accept this signature or these credentials ({answer})"
        return AwsError(sentence, _SIGNATURE, code)
    if code in THROTTLES:
        limit = _LIMITED_BY.get(call)
        way_out = f"try again later, or with a lower {limit}" if limit else "try again later"
        return AwsError(f"{target} was throttled in every attempt", way_out, code)
    return AwsError(f"{target} failed with {code}: {message}" if message else f"{target} failed with {code}", code=code)


def _describe_denial(message: str) -> str:
    """Say to whom it was denied, and why, if the message says more than that nothing allows it; else the message."""
    denial = _DENIAL(message)
    if denial is None:
        return f" ({message})" if message else ""
    reason = denial["reason"] or ""
    return f" to {denial['user']}" + (f" ({reason})" if reason and not reason.startswith(_NOT_ALLOWED) else "")


def _no_credentials_error(_: BotoCoreError, __: str) -> JanitorError:
    return ConfigurationError("no AWS credentials are configured", CREDENTIALS_WAY_OUT, "no-credentials")


def _bad_credentials_error(error: BotoCoreError, _: str) -> JanitorError:
    return CredentialsError(f"no usable AWS credentials ({error_text(error)})", CREDENTIALS_WAY_OUT)


def _no_profile_error(error: BotoCoreError, _: str) -> JanitorError:
    sentence = f"there is no profile {printable(str(error.kwargs.get('profile', '')))}"
    return ConfigurationError(sentence, "check --profile and AWS_PROFILE, or ~/.aws/config", "no-profile")


def _parameter_error(_: BotoCoreError, target: str) -> JanitorError:
    sentence = f"{target}: botocore does not accept a name or an ARN in the settings"
    return ConfigurationError(sentence, "check the names and ARNs", "parameter")


def _no_region_error(_: BotoCoreError, __: str) -> JanitorError:
    return ConfigurationError("no region is set", "give --region NAME, or set AWS_REGION", "no-region")


def _configuration_error(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(error_text(error), "check the AWS configuration", type(error).__name__)


def _unreachable_error(error: BotoCoreError, target: str) -> JanitorError:
    if is_header_error(error):
        sentence = f"{target}: a header of the request holds a line end or another character that no header can hold"
        return ConfigurationError(sentence, _HEADERS, "header")
    reason = reason_of(error)
    text, way_out = f"{error_text(error)} ({reason})" if reason else error_text(error), _NETWORK
    if type(error) is boto.HTTPClientError:
        # For example because the proxy's URL, which may hold a password, is not valid.
        text = f"the request could not be sent ({reason or type(error.kwargs.get('error')).__name__})"
        way_out = _ANY_URL
    elif isinstance(error, boto.SSLError):
        way_out = _CERTIFICATES if reason and "certificate" in reason else _NETWORK
    elif isinstance(error, boto.ProxyConnectionError):
        way_out = _PROXIES
    return AwsError(f"{target}: {text}", way_out, "unreachable")


# Errors that botocore raises without an answer of a service, and what makes janitor's error of each. First match wins.
_LOCAL_ERRORS: tuple[tuple[tuple[type[BotoCoreError], ...], Callable[[BotoCoreError, str], JanitorError]], ...] = (
    ((boto.NoCredentialsError,), _no_credentials_error),
    (
        (
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.NoAuthTokenError,
            boto.TokenRetrievalError,
            boto.SSOError,
            boto.MetadataRetrievalError,
        ),
        _bad_credentials_error,
    ),
    ((boto.ProfileNotFound,), _no_profile_error),
    ((boto.NoRegionError,), _no_region_error),
    ((boto.ParamValidationError,), _parameter_error),
    (
        (
            boto.ConfigNotFound,
            boto.ConfigParseError,
            boto.InvalidConfigError,
            boto.EndpointVariantError,
            boto.InvalidChecksumConfigError,
            boto.InvalidDefaultsMode,
            boto.InvalidEndpointConfigurationError,
            boto.InvalidProxiesConfigError,
            boto.InvalidRegionError,
            boto.InvalidRetryConfigurationError,
            boto.InvalidSTSRegionalEndpointsConfigError,
            boto.UnknownFIPSEndpointError,
        ),
        _configuration_error,
    ),
    ((boto.HTTPClientError, boto.ConnectionError), _unreachable_error),
)
