"""Find single rows by key, fingerprint, `tokenUUID` or owner. They come as whole items, ready to be changed.

A fingerprint is not a key, so the whole table is read for it. Reads are consistent: a row is found as soon as it was
written, and as it is now. Only the index of owners lags behind by moments.
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import structs

from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.dynamodb.owner_query import read_owner_pages
from janitor.dynamodb.page_size import PageSize
from janitor.dynamodb.read_row import read_row
from janitor.dynamodb.scan import Scan, choose_segments
from janitor.errors import StopRequestedError
from janitor.stopping import StopRequest
from janitor.tokens.attribute_names import USERNAME, UUID
from janitor.tokens.fingerprint import FINGERPRINT_LENGTH, compute_fingerprint, make_row_name
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, decode_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_MATCHES = 20

# A fingerprint is similar to a given one if it shares this many first digits, or differs in at most this many digits.
_SAME_FIRST_DIGITS = 4
_MAX_WRONG_DIGITS = 2


class StoredItem(NamedTuple):
    """A row of the table. Its `repr` shows nothing of it.

    Attributes:
        row: the attributes that janitor uses.
        item: the whole row, as DynamoDB JSON.
    """

    row: Row
    item: bytes

    def __repr__(self) -> str:
        return "StoredItem(…)"


class FingerprintSearch(NamedTuple):
    """The result of a search for a fingerprint.

    Attributes:
        matches: the rows that match, at most 21; 21 means more than 20.
        near: if none matches, at most 20 rows with a similar fingerprint: it may have been mistyped.
    """

    matches: list[StoredItem]
    near: list[StoredItem]


class Finder:
    """Finds rows of one table. For the main thread only: a request to stop cuts its waits short.

    Every method raises AwsError if DynamoDB refused or could not be reached, and StopRequestedError if a stop was
    requested, so that half a table never counts as the whole one.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: Table,
        policy: Policy,
        fingerprint_key: bytes | None,
        stop: StopRequest,
        *,
        budgets: Budgets,
    ) -> None:
        """Prepare; sends nothing.

        Args:
            client: made with the page parser.
            table: the table to search.
            policy: its dialect decides how fingerprints are computed.
            fingerprint_key: the key of the fingerprints; None for plain ones.
            stop: says whether the run was asked to stop.
            budgets: what pages may cost; reading a row by its key does not wait for it.
        """
        self._client: Any = client
        self._table = table
        self._dialect = policy.dialect
        self._fingerprint_key = fingerprint_key
        self._stop = stop
        self._budgets = budgets
        self._consistent = structs.replace(budgets, pages=PageSize(is_consistent=True))

    def fingerprint_of_item(self, found: StoredItem) -> str:
        """Return the fingerprint of a row's token."""
        return compute_fingerprint(found.row, self._dialect, self._fingerprint_key)

    def find_by_key(self, key: str) -> StoredItem | None:
        """Return the row with this key; None if there is none. Needs `dynamodb:GetItem`."""
        with self._stop.interruptible_wait():
            item = read_row(self._client, self._table.name, {"S": key})
        if item is None:
            return None
        content = msgspec.json.encode(item)
        return StoredItem(decode_row(content), content)

    def row_name_of(self, found: StoredItem) -> str:
        """Return the name of this row alone."""
        return make_row_name(found.row, self.fingerprint_of_item(found), self._fingerprint_key)

    def search(self, name: str) -> FingerprintSearch:
        """Find the rows whose row name starts with this text, or with a similar one. Needs `dynamodb:Scan`.

        A row name is a fingerprint and further digits. Every row is read, even for a complete fingerprint: another
        token's row, or another row of this token, may share it, and no filter of the server can tell.
        """
        matches: list[StoredItem] = []
        near: list[StoredItem] = []
        for found in self._scan({}):
            fingerprint = self.fingerprint_of_item(found)
            # The further digits cost another hash, so they are computed only for rows with this fingerprint.
            if fingerprint.startswith(name) or (
                name.startswith(fingerprint) and self.row_name_of(found).startswith(name)
            ):
                matches.append(found)
            elif len(near) < MAX_MATCHES and _is_similar(fingerprint, name[:FINGERPRINT_LENGTH]):
                near.append(found)
            if len(matches) > MAX_MATCHES:
                break
        return FingerprintSearch(matches, [] if matches else near)

    def find_by_uuid(self, uuid: str) -> list[StoredItem]:
        """Find the rows with this `tokenUUID`, as given, in lower case or in upper case; at most 21.

        There is only one, unless somebody wrote rows by hand. Needs `dynamodb:Scan`.
        """
        # LISA writes them in lower case.
        spellings = dict.fromkeys((uuid, uuid.lower(), uuid.upper()))
        values = {f":value{number}": {"S": spelling} for number, spelling in enumerate(spellings)}
        filter_ = {
            "FilterExpression": f"#a IN ({', '.join(values)})",
            "ExpressionAttributeNames": {"#a": UUID},
            "ExpressionAttributeValues": values,
        }
        return list(itertools.islice(self._scan(filter_), MAX_MATCHES + 1))

    def find_by_user(self, name: str) -> list[StoredItem]:
        """Find every row of this owner, through the index if there is one. Needs `dynamodb:Query` on it, or Scan."""
        if not self._table.has_owner_index:
            return list(self._scan(_equals(USERNAME, name)))
        pages = read_owner_pages(
            self._client,
            self._table.name,
            name,
            self._budgets,
            is_whole=True,
            interruptible_wait=self._stop.interruptible_wait,
        )
        return [found for page in pages for found in _items_of(page)]

    def find_all(self) -> Iterator[StoredItem]:
        """Yield every row. Needs `dynamodb:Scan`."""
        return self._scan({})

    def _scan(self, filter_: dict[str, Any]) -> Iterator[StoredItem]:
        scan = Scan(
            client=self._client,
            table=self._table.name,
            segments=choose_segments(self._table.size_bytes),
            filter=lambda: {"ConsistentRead": True, **filter_},
            stop=self._stop,
            budgets=self._consistent,
        )
        for page in scan.pages():
            yield from _items_of(page)
        # A scan ends early without an error when a stop is requested.
        if self._stop.is_requested():
            raise StopRequestedError


def _items_of(page: Page) -> Iterator[StoredItem]:
    for position, row in enumerate(page.rows(range(page.count))):
        yield StoredItem(row, page.item(position))


def _equals(attribute: str, value: str) -> dict[str, Any]:
    return {
        "FilterExpression": "#a = :value",
        "ExpressionAttributeNames": {"#a": attribute},
        "ExpressionAttributeValues": {":value": {"S": value}},
    }


def _is_similar(fingerprint: str, prefix: str) -> bool:
    wrong = sum(digit != given for digit, given in zip(fingerprint, prefix, strict=False))
    return fingerprint.startswith(prefix[:_SAME_FIRST_DIGITS]) or wrong <= _MAX_WRONG_DIGITS
