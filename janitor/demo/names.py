"""Made-up people and services, and what they call their tokens."""

from collections.abc import Sequence
from random import Random

# A name a line, as the linter wants it, would fill the module.
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
"""The services that hold system tokens, and what each calls its token."""

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


def people(random: Random, count: int) -> list[str]:
    """So many different addresses of people, at most 3,000."""
    everybody = [f"{first}.{last}@example.com" for first in _FIRST_NAMES for last in _LAST_NAMES]
    return random.sample(everybody, count)


def token_name(random: Random) -> str:
    """What a person calls a token."""
    return random.choice(_TOKEN_NAMES)


def groups(random: Random) -> Sequence[str]:
    """The groups of a person: that of all users, and up to two more."""
    return ["lisa-users", *sorted(random.sample(_GROUPS, random.randint(0, 2)))]
