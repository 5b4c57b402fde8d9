"""Let botocore send request bodies that janitor has encoded itself.

botocore builds a body shape by shape, which for a batch of 25 statements costs more than everything else that the
request needs, and converts binaries to Python objects and back. A finished body is sent as it is; botocore still picks
the endpoint, signs, sends and retries.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BODY = "JanitorBody"


def accept_raw_bodies(client: "DynamoDBClient", operations: Iterable[str]) -> None:
    """Let these operations of the client (`DeleteItem`, …) also be called with `JanitorBody=bytes`.

    Calls without it still take parameters: the state store shares the client.
    """
    for operation in operations:
        events: Any = client.meta.events  # its stubs know only handlers that return nothing
        events.register(f"provide-client-params.dynamodb.{operation}", _move_body_to_context)
        events.register(f"before-call.dynamodb.{operation}", _set_body)


def check_before_send(client: "DynamoDBClient", operations: Iterable[str], check: Callable[[], None]) -> None:
    """Call `check` before each send of such a request, including retries; an exception from it ends the call."""

    def check_request(request: Any, **_: object) -> None:
        if BODY in request.context:
            check()

    for operation in operations:
        events: Any = client.meta.events
        events.register(f"request-created.dynamodb.{operation}", check_request)


def _move_body_to_context(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any] | None:
    if BODY not in params:
        return None
    context[BODY] = params[BODY]
    return {}


def _set_body(params: dict[str, Any], context: Mapping[str, Any], **_: object) -> None:
    if BODY in context:
        params["body"] = context[BODY]
