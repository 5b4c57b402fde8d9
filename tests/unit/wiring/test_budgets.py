import math

import pytest

from janitor.dynamodb.table_features import UNKNOWN_THROUGHPUT, Throughput
from janitor.settings.parsers import parse_units
from janitor.wiring.budgets import compute_unit_limits

PROVISIONED = Throughput(provisioned_reads=400, provisioned_writes=20, warm_reads=None, indexes=1)


@pytest.mark.parametrize(
    ("throughput", "max_rcu", "max_wcu", "limits"),
    [
        (UNKNOWN_THROUGHPUT, None, None, (None, None)),
        (PROVISIONED, None, None, (100.0, 5.0)),
        (PROVISIONED, 10.0, None, (10.0, 5.0)),
        (PROVISIONED, math.inf, math.inf, (None, None)),
        (PROVISIONED, None, 8.0, (100.0, 8.0)),
        (UNKNOWN_THROUGHPUT, 1_000.0, None, (1_000.0, None)),
    ],
)
def test_what_is_told_beats_a_quarter_of_what_is_provisioned(
    throughput: Throughput,
    max_rcu: float | None,
    max_wcu: float | None,
    limits: tuple[float | None, float | None],
) -> None:
    assert compute_unit_limits(throughput, max_rcu=max_rcu, max_wcu=max_wcu) == limits


@pytest.mark.parametrize("text", ["0", "-1", "1e-320", "1e999", "nan", "few"])
def test_units_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither a number of units from 0\.001, nor 'none', nor 'auto'"):
        parse_units(text)
