"""botocore's errors become ours here and nowhere else: the call, the resource, and the way out in a user's words."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from janitor.errors import AwsError, ConfigurationError, JanitorError
from janitor.tokens.shown import without_keys

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

_EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "RequestExpired"})
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
_USER_IN_URL = re.compile(r"//[^/@\s\"]+@")
_LIMITED_BY = {
    "dynamodb:Scan": "--max-rcu",
    "dynamodb:PartiQLDelete": "--max-wcu",
    "dynamodb:DeleteItem": "--max-wcu",
}
_NETWORK = "check --endpoint-url, --region and the network"


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
    return AwsError(f"{target}: {_one_line(error)}", code=type(error).__name__)


def _from_service(error: ClientError, call: str, target: str, resource: str | None) -> JanitorError:
    details = error.response.get("Error", {})
    code, message = details.get("Code", "Unknown"), without_keys(" ".join(str(details.get("Message", "")).split()))
    if code in DENIALS:
        return AwsError(f"{target} was denied", f"allow {call.split(maxsplit=1)[0]} on it ({message})", code)
    if code in NOT_FOUND:
        return ConfigurationError(f"{resource} does not exist here", "check the name, --region and the account", code)
    if code in _EXPIRED:
        return AwsError(f"{target}: the session's credentials have expired", "log in again", code)
    if code in _BAD_CREDENTIALS:
        said = f"{code}: {message}" if message else code
        return AwsError(f"{target}: AWS does not accept this signature or these credentials ({said})", _SIGNATURE, code)
    if code in THROTTLES:
        limit = _LIMITED_BY.get(call)
        way_out = f"try again later, or with a lower {limit}" if limit else "try again later"
        return AwsError(f"{target} was throttled, and stayed so", way_out, code)
    return AwsError(f"{target} failed with {code}: {message}" if message else f"{target} failed with {code}", code=code)


def _no_credentials(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(f"no usable AWS credentials ({_one_line(error)})", CREDENTIALS_WAY_OUT, "no-credentials")


def _no_profile(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(_one_line(error), "check --profile, or ~/.aws/config", "no-profile")


def _parameter(error: BotoCoreError, target: str) -> JanitorError:
    return ConfigurationError(f"{target}: {_one_line(error)}", "check the names and ARNs that were given", "parameter")


def _no_region(_: BotoCoreError, __: str) -> JanitorError:
    return ConfigurationError("no region is set", "give --region NAME, or set AWS_REGION", "no-region")


def _configuration(error: BotoCoreError, _: str) -> JanitorError:
    return ConfigurationError(_one_line(error), "check the AWS configuration", type(error).__name__)


def _unreachable(error: BotoCoreError, target: str) -> JanitorError:
    return AwsError(f"{target}: {_one_line(error)}", _NETWORK, "unreachable")


# First match wins.
_LOCAL: tuple[tuple[tuple[type[BotoCoreError], ...], Callable[[BotoCoreError, str], JanitorError]], ...] = (
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.NoAuthTokenError,
            boto.TokenRetrievalError,
            boto.SSOError,
            boto.MetadataRetrievalError,
        ),
        _no_credentials,
    ),
    ((boto.ProfileNotFound,), _no_profile),
    ((boto.NoRegionError,), _no_region),
    ((boto.ParamValidationError,), _parameter),
    (
        (
            boto.ConfigNotFound,
            boto.ConfigParseError,
            boto.InvalidConfigError,
            boto.InvalidRegionError,
            boto.InvalidRetryConfigurationError,
        ),
        _configuration,
    ),
    ((boto.HTTPClientError, boto.ConnectionError), _unreachable),
)


def _one_line(error: BotoCoreError) -> str:
    # An endpoint may carry a user name and a password.
    return _USER_IN_URL.sub("//", " ".join(str(error).split())).rstrip(".")
