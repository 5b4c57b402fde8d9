import msgspec
import pytest

from janitor.dynamodb.decode import Page
from janitor.readers.interface import Rules
from janitor.readers.judging import judge_page
from janitor.tokens.dialect import Dialect
from tests.tables import Item, modern
from tests.unit.rows import KEY, NOW, POLICIES

_ROWS = 1_000
_FAR = NOW + 10**8
_ODD_ROWS: list[Item] = [
    modern(KEY, NOW - 1),
    modern(KEY, _FAR) | {"tokenExpiration": {"N": "9000000000.5"}},
    modern(KEY, _FAR) | {"token": {"S": KEY.upper()}},
    modern(KEY, _FAR) | {"username": {"N": "1"}},
    {name: value for name, value in modern(KEY, _FAR).items() if name != "tokenUUID"},
]


@pytest.mark.parametrize("odd", _ODD_ROWS)
@pytest.mark.parametrize("position", [0, 255, 256, 511, 512, _ROWS - 1])
def test_an_odd_row_is_found_wherever_it_stands_in_a_page(odd: Item, position: int) -> None:
    rows = [modern(f"{number:064x}", _FAR) for number in range(_ROWS)]
    rows[position] = odd
    page = Page(msgspec.json.encode({"Items": rows, "Count": _ROWS, "ScannedCount": _ROWS}))
    batch = judge_page(page, Rules(policy=POLICIES[Dialect.HASHED], now=NOW))
    assert batch.tally.scanned == _ROWS
    assert [found.row.key.S for found in batch.found] == [odd["token"]["S"]]
