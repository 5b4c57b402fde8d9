"""botocore's errors become ours here and nowhere else: the call, the resource, and the way out in a user's words.

What botocore, urllib3 and http.client say in their errors may hold a whole header, and with it a credential. So nothing
of their texts is repeated: only botocore's own template with the values that are known to hold none (`error_text`), what
the operating system or OpenSSL says (`reason_of`), and a service's message up to the first name of a header
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
from janitor.tokens.redact import without_keys

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
# Of a request as a whole: it may have reached the server or not, and may work the next time.
PASSING_ERRORS = THROTTLES | {
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
# Of one statement in a batch (API reference, BatchStatementError): it did nothing, and may work the next time.
PASSING_STATEMENT_ERRORS = STATEMENT_THROTTLES | {"InternalServerError", "TransactionConflict"}
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
_AUTHORITIES = "where a proxy or the endpoint has an authority of its own, name its certificates with AWS_CA_BUNDLE"
_PROXIES = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_HEADERS = "see that AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, or what the profile has for them, end with their last letter"

# The values in botocore's errors that may be shown: names that the user or AWS gave, never a header or a body.
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
# What botocore says of a profile in words of its own, with nothing between them but names.
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
# AWS repeats the request that it would have signed, header by header, in its answer to a wrong signature.
_HEADER = re.compile(
    r"\W*(?:the )?(?:canonical (?:string|request)|string[- ]to[- ]sign|authorization\b|x-amz-|security-token|"
    r"credential=|signature=|cookie\b).*",
    re.IGNORECASE | re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z0-9_.:#/-]{1,100}")
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_LONGEST_CHAIN = 20


@contextmanager
def aws_errors(call: str, resource: str | None = None) -> Iterator[None]:
    """Turn botocore's errors inside the block into ours.

    Args:
        call: the permission's name for the call, for example `dynamodb:Scan`.
        resource: the table or parameter it is for.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translated(error, call, resource) from None
    except (ValueError, KeyError, ResponseParserError) as error:
        # What botocore's parser lets through of a damaged answer, and what is missing in one that was cut short.
        target = f"{call} on {resource}" if resource else call
        sentence = f"{target}: the answer is damaged ({type(error).__name__})"
        raise AwsError(sentence, "run it again", "corrupt-answer") from None


def translated(error: BotoCoreError | ClientError, call: str, resource: str | None) -> JanitorError:
    """Our error for botocore's.

    Args:
        error: what botocore raised.
        call: the permission's name for the call, for example `dynamodb:Scan`.
        resource: the table, parameter or URL it was for.
    """
    target = f"{call} on {resource}" if resource else call
    if isinstance(error, ClientError):
        return _from_service(error, call, target, resource)
    for kinds, build in _LOCAL:
        if isinstance(error, kinds):
            return build(error, target)
    return AwsError(f"{target}: {error_text(error)}", code=type(error).__name__)


def error_text(error: BotoCoreError) -> str:
    """What botocore's error says, without the values that could hold a credential; its class where they are all."""
    values: Mapping[str, Any] = error.kwargs
    if known := _KNOWN_TEXTS.match(str(values.get("error_msg", ""))):
        return printable(known[0].rstrip("."))
    named = {name for _, name, _, _ in Formatter().parse(error.fmt) if name}
    if named and not named & (_SHOWN | _SHOWN_URLS):
        return type(error).__name__
    shown = {name: _shown(name, values.get(name)) for name in named}
    return printable(without_keys(" ".join(error.fmt.format(**shown).split()))).rstrip(f" .:{_HIDDEN}")


def _shown(name: str, value: object) -> str:
    if name in _SHOWN_URLS:
        return origin_of(str(value))
    return str(value) if name in _SHOWN else _HIDDEN


def origin_of(url: str) -> str:
    """Of a URL the scheme, the host and the port: the rest may hold a password or a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    host = parts.netloc.rpartition("@")[2]
    if not host:
        return _HIDDEN
    return printable(f"{parts.scheme}://{host}")


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that it came from, however they are attached to it."""
    waiting, seen = [error], 0
    while waiting and seen < _LONGEST_CHAIN:
        cause = waiting.pop(0)
        seen += 1
        yield cause
        values = getattr(cause, "kwargs", {})
        linked = (values.get("error") if isinstance(values, Mapping) else None, getattr(cause, "reason", None))
        waiting += [
            each
            for each in (*linked, *cause.args, cause.__cause__, cause.__context__)
            if isinstance(each, BaseException)
        ]


def reason_of(error: BaseException) -> str | None:
    """What the operating system, OpenSSL or a proxy's status says of an error; None where they say nothing."""
    return next((reason for cause in causes_of(error) if (reason := _system_reason(cause))), None)


def _system_reason(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "reason", None) or "tls failed").replace("_", " ").lower()
    if not isinstance(error, OSError):
        return None
    # Of an OSError that a library raised with a text of its own, only what it says of a proxy is known.
    if error.args[1:]:
        return error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    tunnel = _TUNNEL.match(str(error))
    return f"the proxy answered {tunnel[1]}" if tunnel else None


def is_unfit_header(error: BaseException) -> bool:
    """Whether a request could not be sent because of what stands in one of its headers."""
    return any(
        isinstance(cause, UnicodeEncodeError)
        or (isinstance(cause, ValueError) and str(cause).startswith("Invalid header"))
        for cause in causes_of(error)
    )


def service_text(message: object) -> str:
    """A service's message on one line, without row keys, and without the request's headers where it repeats them."""
    return printable(without_keys(_HEADER.sub("", " ".join(str(message).split()))))


def service_code(code: object) -> str:
    """A service's name for an error; `Unknown` for what does not look like a name."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "Unknown"


def _from_service(error: ClientError, call: str, target: str, resource: str | None) -> JanitorError:
    details = error.response.get("Error", {})
    code, message = service_code(details.get("Code")), service_text(details.get("Message", ""))
    if code in DENIALS:
        said = f" ({message})" if message else ""
        return AwsError(f"{target} was denied", f"allow {call.split(maxsplit=1)[0]} on it{said}", code)
    if code in NOT_FOUND:
        return ConfigurationError(f"{resource} does not exist here", "check the name, --region and the account", code)
    if code in EXPIRED:
        return AwsError(f"{target}: the session's credentials have expired", "log in again", code)
    if code in _BAD_CREDENTIALS:
        said = f"{code}: {message}" if message else code
        return AwsError(f"{target}: AWS does not accept this signature or these credentials ({said})", _SIGNATURE, code)
    if code in THROTTLES:
        limit = _LIMITED_BY.get(call)
        way_out = f"try again later, or with a lower {limit}" if limit else "try again later"
        return AwsError(f"{target} was throttled, and stayed so", way_out, code)
    return AwsError(f"{target} failed with {code}: {message}" if message else f"{target} failed with {code}", code=code)


def _no_credentials(_: BotoCoreError, __: str) -> JanitorError:
    return ConfigurationError("no AWS credentials are configured", CREDENTIALS_WAY_OUT, "no-credentials")


def _bad_credentials(error: BotoCoreError, _: str) -> JanitorError:
    return CredentialsError(f"no usable AWS credentials ({error_text(error)})", CREDENTIALS_WAY_OUT)


def _no_profile(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(error_text(error), "check --profile and AWS_PROFILE, or ~/.aws/config", "no-profile")


def _parameter(_: BotoCoreError, target: str) -> JanitorError:
    sentence = f"{target}: AWS's client does not take a name or an ARN that was given"
    return ConfigurationError(sentence, "check the names and ARNs that were given", "parameter")


def _no_region(_: BotoCoreError, __: str) -> JanitorError:
    return ConfigurationError("no region is set", "give --region NAME, or set AWS_REGION", "no-region")


def _configuration(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(error_text(error), "check the AWS configuration", type(error).__name__)


def _unreachable(error: BotoCoreError, target: str) -> JanitorError:
    if is_unfit_header(error):
        sentence = f"{target}: a header of the request holds a line end, or what else no header can hold"
        return ConfigurationError(sentence, _HEADERS, "header")
    reason = reason_of(error)
    said, way_out = f"{error_text(error)} ({reason})" if reason else error_text(error), _NETWORK
    if type(error) is boto.HTTPClientError:
        # For example a proxy's URL that is none, which may hold a password.
        said, way_out = (
            f"the request could not be sent ({reason or type(error.kwargs.get('error')).__name__})",
            _ANY_URL,
        )
    elif isinstance(error, boto.SSLError):
        way_out = _AUTHORITIES if reason and "certificate" in reason else _NETWORK
    elif isinstance(error, boto.ProxyConnectionError):
        way_out = _PROXIES
    return AwsError(f"{target}: {said}", way_out, "unreachable")


# First match wins.
_LOCAL: tuple[tuple[tuple[type[BotoCoreError], ...], Callable[[BotoCoreError, str], JanitorError]], ...] = (
    ((boto.NoCredentialsError,), _no_credentials),
    (
        (
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.NoAuthTokenError,
            boto.TokenRetrievalError,
            boto.SSOError,
            boto.MetadataRetrievalError,
        ),
        _bad_credentials,
    ),
    ((boto.ProfileNotFound,), _no_profile),
    ((boto.NoRegionError,), _no_region),
    ((boto.ParamValidationError,), _parameter),
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
        _configuration,
    ),
    ((boto.HTTPClientError, boto.ConnectionError), _unreachable),
)
