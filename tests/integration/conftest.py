"""Fixtures of the tests about notices."""

from tests.announcing import dynamodb, runs, topic

__all__ = ["dynamodb", "runs", "topic"]
