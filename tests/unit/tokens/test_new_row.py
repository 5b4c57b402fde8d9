import hashlib
import json
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.fingerprint import compute_fingerprint, compute_token_fingerprint, key_of
from janitor.tokens.new_row import Grant, make_row
from janitor.tokens.row import decode_row

NOW = 1_790_000_000
TOKEN = "0f" * 64
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()

texts = st.text(min_size=1, max_size=40)
grants = st.builds(
    Grant,
    token_uuid=st.uuids().map(str),
    created_date=st.integers(0, NOW),
    created_by=texts,
    username=texts,
    groups=st.lists(texts, max_size=3).map(tuple),
    name=texts,
    is_system=st.booleans(),
)
seconds = st.integers(NOW + 1, 99_999_999_999)


def as_boto3_writes(item: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def test_a_classic_row_is_that_of_the_recipes_in_lisas_documents() -> None:
    assert json.loads(make_row(TOKEN, None, None)) == {"token": {"S": TOKEN}}
    assert json.loads(make_row(TOKEN, NOW, None)) == {"token": {"S": TOKEN}, "tokenExpiration": {"N": str(NOW)}}


@given(seconds, grants)
def test_a_hashed_row_is_what_lisas_create_handler_puts(expires: int, grant: Grant) -> None:
    # CreateTokenAdminHandler of lambda/api_tokens/handler.py at v6.6.0; its put_item is that of a boto3 resource.
    put = {
        "token": HASH,
        "tokenUUID": grant.token_uuid,
        "tokenExpiration": expires,
        "createdDate": grant.created_date,
        "createdBy": grant.created_by,
        "username": grant.username,
        "groups": list(grant.groups),
        "name": grant.name,
        "isSystemToken": grant.is_system,
    }
    assert json.loads(make_row(HASH, expires, grant)) == as_boto3_writes(put)


@given(texts, seconds, grants, st.sampled_from([None, b"secret"]))
def test_a_new_row_is_accepted_and_named_as_its_token(
    token: str, expires: int, grant: Grant, fingerprint_key: bytes | None
) -> None:
    for dialect, said in ((Dialect.CLASSIC, None), (Dialect.HASHED, grant)):
        row = decode_row(make_row(key_of(token, dialect), expires, said))
        assert Gate.API in find_accepting_gates(row, NOW, dialect)
        assert find_accepting_gates(row, expires, dialect) == ()
        assert compute_fingerprint(row, dialect, fingerprint_key) == compute_token_fingerprint(token, fingerprint_key)
