"""Spans of time for made-up tokens, in seconds."""

from collections.abc import Iterator
from random import Random

HOUR = 3_600
DAY = 24 * HOUR


def spread(random: Random, number: int, least: int, most: int) -> Iterator[int]:
    """So many spans from `least` to `most` seconds, one in each of as many equal parts: no day gets a crowd."""
    part = (most - least) // number
    for each in range(number):
        yield least + each * part + random.randrange(part)
