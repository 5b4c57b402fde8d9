"""Single rows, found by what a person calls them: key, fingerprint, `tokenUUID`, owner. Whole items, for a change.

A fingerprint is no key, so the table is read for it, and every row's is compared. What is read is consistent, so that a
row is found as soon as it was written, as it is now; but the index of owners lags behind by moments.
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import structs

from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.dynamodb.owners import pages_of_owner
from janitor.dynamodb.page_size import PageSize
from janitor.dynamodb.read_row import read_row
from janitor.dynamodb.scan import Scan, StopRequest, segments_for
from janitor.errors import StopRequestedError
from janitor.tokens.fingerprint import LENGTH, fingerprint, row_name
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, row_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_FOUND = 20

_UUID = "tokenUUID"
_OWNER = "username"
# A fingerprint is near a prefix with so many of its first digits, or with all of its digits but so many.
_ALIKE_DIGITS = 4
_WRONG_DIGITS = 2


class FoundItem(NamedTuple):
    """A row of the table. Its `repr` shows nothing of it.

    Attributes:
        row: what janitor reads of it.
        item: all of it, as DynamoDB JSON.
    """

    row: Row
    item: bytes

    def __repr__(self) -> str:
        return "Found(…)"


class FingerprintSearch(NamedTuple):
    """What a look for a fingerprint found.

    Attributes:
        matches: the rows that are called so, at most 21: then there are more than 20.
        near: where there is none, rows that are called nearly so, at most 20: somebody may have mistyped it.
    """

    matches: list[FoundItem]
    near: list[FoundItem]


class Finder:
    """Finds rows of one table. It is for the main thread: a request to stop cuts its waits short.

    Every method raises AwsError where DynamoDB refused or could not be reached, and StopRequestedError where somebody
    asked to stop, so that half a table never passes for a whole one.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: Table,
        policy: Policy,
        secret: bytes | None,
        stop: StopRequest,
        *,
        budgets: Budgets,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: made with the page parser.
            table: where to look.
            policy: says by its dialect what a fingerprint is of.
            secret: the key of the fingerprints; None for plain ones.
            stop: who may ask for an early end.
            budgets: what pages may cost; a row by its key comes at once.
        """
        self._client: Any = client
        self._table = table
        self._dialect = policy.dialect
        self._secret = secret
        self._stop = stop
        self._budgets = budgets
        self._consistent = structs.replace(budgets, pages=PageSize(is_consistent=True))

    def fingerprint_of(self, found: FoundItem) -> str:
        """What a row is named everywhere."""
        return fingerprint(found.row, self._dialect, self._secret)

    def by_key(self, key: str) -> FoundItem | None:
        """The row with this key; None where there is none. Needs `dynamodb:GetItem`."""
        with self._stop.waiting():
            item = read_row(self._client, self._table.name, {"S": key})
        if item is None:
            return None
        content = msgspec.json.encode(item)
        return FoundItem(row_of(content), content)

    def name_of(self, found: FoundItem) -> str:
        """What names this row alone."""
        return row_name(found.row, self.fingerprint_of(found), self._secret)

    def look(self, name: str) -> FingerprintSearch:
        """The rows whose name, a fingerprint and what comes behind it, starts so, or nearly so. Needs `dynamodb:Scan`.

        Every row is read, even for all digits of a fingerprint: the row of another token, or another row of this one,
        may have the same ones, and no filter of the server's tells that of every key.
        """
        matches: list[FoundItem] = []
        near: list[FoundItem] = []
        for found in self._scanned({}):
            fingerprint = self.fingerprint_of(found)
            # The digits behind it cost another hash, which is for the few rows whose fingerprint it may be.
            if fingerprint.startswith(name) or (name.startswith(fingerprint) and self.name_of(found).startswith(name)):
                matches.append(found)
            elif len(near) < MOST_FOUND and _is_near(fingerprint, name[:LENGTH]):
                near.append(found)
            if len(matches) > MOST_FOUND:
                break
        return FingerprintSearch(matches, [] if matches else near)

    def by_uuid(self, uuid: str) -> list[FoundItem]:
        """The rows with this `tokenUUID`, in small letters or capitals or as given, at most 21.

        One, where nobody wrote rows by hand. Needs `dynamodb:Scan`.
        """
        # LISA writes them in lower case.
        spellings = dict.fromkeys((uuid, uuid.lower(), uuid.upper()))
        values = {f":value{number}": {"S": spelling} for number, spelling in enumerate(spellings)}
        filter_ = {
            "FilterExpression": f"#a IN ({', '.join(values)})",
            "ExpressionAttributeNames": {"#a": _UUID},
            "ExpressionAttributeValues": values,
        }
        return list(itertools.islice(self._scanned(filter_), MOST_FOUND + 1))

    def by_user(self, name: str) -> list[FoundItem]:
        """Every row of this owner, through the index where there is one. Needs `dynamodb:Query` on it, or Scan."""
        if not self._table.has_owner_index:
            return list(self._scanned(_equals(_OWNER, name)))
        pages = pages_of_owner(
            self._client, self._table.name, name, self._budgets, is_whole=True, waiting=self._stop.waiting
        )
        return [found for page in pages for found in _rows(page)]

    def _scanned(self, filter_: dict[str, Any]) -> Iterator[FoundItem]:
        scan = Scan(
            client=self._client,
            table=self._table.name,
            segments=segments_for(self._table.size_bytes),
            filter=lambda: {"ConsistentRead": True, **filter_},
            stop=self._stop,
            budgets=self._consistent,
        )
        for page in scan.pages():
            yield from _rows(page)
        self._check_not_stopped()

    def _check_not_stopped(self) -> None:
        # A scan ends early and quietly when it is asked to.
        if self._stop.is_requested():
            raise StopRequestedError


def _rows(page: Page) -> Iterator[FoundItem]:
    for position, row in enumerate(page.rows(range(page.count))):
        yield FoundItem(row, page.item(position))


def _equals(attribute: str, value: str) -> dict[str, Any]:
    return {
        "FilterExpression": "#a = :value",
        "ExpressionAttributeNames": {"#a": attribute},
        "ExpressionAttributeValues": {":value": {"S": value}},
    }


def _is_near(name: str, prefix: str) -> bool:
    wrong = sum(digit != meant for digit, meant in zip(name, prefix, strict=False))
    return name.startswith(prefix[:_ALIKE_DIGITS]) or wrong <= _WRONG_DIGITS
