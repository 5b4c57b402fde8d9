"""What made-up rows consist of: attributes, times, people, services and the names of their tokens."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, TypeAlias

Item: TypeAlias = dict[str, Any]
"""DynamoDB JSON, as boto3's client takes it."""

HOUR = 3_600
DAY = 24 * HOUR

# As lists, with a name per line, these would fill the module.
_FIRST_NAMES = (  # noqa: SIM905
    "ada amir ana anouk ben carla chen clara daniel deniz elif emeka emma erik fatima felix grace hana henrik ines "
    "isaac ivan jamal joana jonas kaito karim laura leila lena luca maja marco maria mateo mei milan nadia nina noah "
    "olga omar paula pedro priya rafael ravi rosa samira sara sofia tariq thomas tomas vera wei yara yusuf zoe"
).split()
_LAST_NAMES = (  # noqa: SIM905
    "almeida andersson bakker banerjee becker bianchi castillo costa cohen dubois eriksen fischer garcia haddad "
    "hoffmann horvat ibrahim iyer jansen johnson kaya khan kim kowalski kumar larsen lopez martin mensah meyer moreau "
    "murphy nakamura ndiaye novak nguyen okafor oliveira park patel petrov popescu ramirez rossi sato schmidt silva "
    "singh smith suzuki tanaka torres usman vargas virtanen wagner walker wang yilmaz zhang"
).split()

ADMINISTRATORS = ("lisa-admin@example.com", "rosa.meyer.admin@example.com", "tariq.cohen.admin@example.com")

SERVICES = {
    "build-bot": "CI pipeline",
    "nightly-eval": "nightly evaluation",
    "rag-ingest": "document ingestion",
    "release-notes": "release notes",
    "ticket-triage": "ticket triage",
    "chat-gateway": "chat gateway",
    "code-review-bot": "merge request review",
    "grafana-probe": "uptime probe",
    "search-indexer": "search index",
    "mail-summary": "daily mail summary",
    "load-test": "load test",
    "backup-smoke": "smoke test after deployment",
}
"""The services that hold system tokens, and the name of each one's token."""

_TOKEN_NAMES = (
    "CI pipeline",
    "Continue VS Code",
    "Continue JetBrains",
    "Jupyter",
    "Open WebUI",
    "RAG prototype",
    "aider",
    "batch summaries",
    "cline",
    "curl",
    "demo for the steering committee",
    "eval harness",
    "langchain experiments",
    "laptop",
    "load test",
    "my token",
    "notebook",
    "prompt tuning",
    "pytest fixtures",
    "slack bot",
    "terminal",
    "test",
    "test 2",
    "thesis",
    "workstation",
)
_GROUPS = ("claims-automation", "data-science", "engineering", "legal-research", "nlp", "platform", "security")


def choose_people(random: Random, count: int) -> list[str]:
    """Choose different e-mail addresses of people, at most 3,000."""
    everybody = [f"{first}.{last}@example.com" for first in _FIRST_NAMES for last in _LAST_NAMES]
    return random.sample(everybody, count)


def choose_token_name(random: Random) -> str:
    """Choose a name that a person might give a token."""
    return random.choice(_TOKEN_NAMES)


def choose_groups(random: Random) -> Sequence[str]:
    """Choose the groups of a person: that of all users, and up to two more."""
    return ["lisa-users", *sorted(random.sample(_GROUPS, random.randint(0, 2)))]


def spread_times(random: Random, count: int, least: int, most: int) -> Iterator[int]:
    """Choose spans from `least` to `most` seconds, one in each of `count` equal parts, so that no day gets a crowd."""
    part = (most - least) // count
    for each in range(count):
        yield least + each * part + random.randrange(part)


def text(value: str) -> Item:
    """An attribute of type S."""
    return {"S": value}


def number(value: int) -> Item:
    """An attribute of type N."""
    return {"N": str(value)}
