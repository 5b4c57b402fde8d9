"""Tools that are no Python packages, for the tests that want them."""

import os
import shutil

import pytest

# Set by the workflows to the names of the tools that they have installed. A test that cannot find one of these fails in
# place of being skipped: otherwise an installation that goes wrong would go unnoticed.
EXPECTED = "TOKEN_JANITOR_TEST_TOOLS"


def find_tool(name: str, how_to_install: str) -> str:
    """Return the path of a tool; without it, skip the test, or fail it if the tool is expected here."""
    path = shutil.which(name)
    if path is None:
        is_expected = name in os.environ.get(EXPECTED, "").split()
        (pytest.fail if is_expected else pytest.skip)(f"{name} is not installed here ({how_to_install})")
    return path
