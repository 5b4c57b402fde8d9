"""Request bodies said in bytes.

botocore builds a body shape by shape, which for a batch of 25 statements costs more than everything else the request
needs, and turns binaries into Python's and back. A body that is ready goes to the wire as it is; botocore still picks
the endpoint, signs, sends and retries.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BODY = "JanitorBody"


def take_bodies(client: "DynamoDBClient", operations: Iterable[str]) -> None:
    """Let these operations of the client (`DeleteItem`, …) be called with `JanitorBody=bytes` too.

    Without it they take parameters as ever: the store of what runs remember shares the client.
    """
    for operation in operations:
        events: Any = client.meta.events  # its stubs know only handlers that return nothing
        events.register(f"provide-client-params.dynamodb.{operation}", _set_aside)
        events.register(f"before-call.dynamodb.{operation}", _put_in)


def guard_bodies(client: "DynamoDBClient", operations: Iterable[str], check: Callable[[], None]) -> None:
    """Call `check` before each send of such a request, the repeated ones too; what it raises ends the call."""

    def checked(request: Any, **_: object) -> None:
        if BODY in request.context:
            check()

    for operation in operations:
        events: Any = client.meta.events
        events.register(f"request-created.dynamodb.{operation}", checked)


def _set_aside(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any] | None:
    if BODY not in params:
        return None
    context[BODY] = params[BODY]
    return {}


def _put_in(params: dict[str, Any], context: Mapping[str, Any], **_: object) -> None:
    if BODY in context:
        params["body"] = context[BODY]
