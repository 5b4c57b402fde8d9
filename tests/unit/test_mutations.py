"""The bugs that `make mutations` plants can be planted, and the tests that have to notice them are there."""

import pytest

from tests.faults.mutation import Mutation
from tests.faults.mutations import MUTATIONS, ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_what_is_replaced_stands_once_and_the_tests_are_there(mutation: Mutation) -> None:
    source = (ROOT / mutation.file).read_text()
    for old, new in mutation.changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()
