"""The Dockerfile as its builder reads it: instructions by stage, and what the file beside it keeps from the build."""

import fnmatch
import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "docker"
PATH = FOLDER / "Dockerfile"

_ASSIGNMENT = re.compile(r'(\S+?)=("[^"]*"|\S+)')


@dataclass(frozen=True)
class Instruction:
    """One instruction: the stage it stands in, its name, and the rest with continued lines joined."""

    stage: str
    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """What it is given, without its flags."""
        return [word for word in self.rest.split() if not word.startswith("--")]

    @property
    def flags(self) -> list[str]:
        return [word for word in self.rest.split() if word.startswith("--")]


def instructions() -> list[Instruction]:
    """Every instruction, in order; ARG before the first FROM is of the stage with no name."""
    found, stage = [], ""
    lines = [line for line in PATH.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.partition(" AS ")[2]
        found.append(Instruction(stage, name, rest))
    return found


def environment() -> dict[str, str]:
    """What ENV sets in the image, but for what it builds on the base's."""
    of_image = [each for each in instructions() if each.name == "ENV" and each.stage == "runtime"]
    pairs = {name: value for each in of_image for name, value in _ASSIGNMENT.findall(each.rest)}
    return {name: value for name, value in pairs.items() if "$" not in value}


def labels() -> dict[str, str]:
    """What LABEL says, with the names of build arguments as they stand."""
    (only,) = (each for each in instructions() if each.name == "LABEL")
    return {name: value.strip('"') for name, value in _ASSIGNMENT.findall(only.rest)}


def exec_form(name: str) -> list[str]:
    """The words of ENTRYPOINT, CMD or HEALTHCHECK, which are to be a JSON list: no shell reads them."""
    (only,) = (each for each in instructions() if each.name == name)
    words: list[str] = json.loads(only.rest[only.rest.index("[") :])
    return words


def copied_from_context() -> list[str]:
    """Every path that the build takes from the project's folder."""
    copies = [each for each in instructions() if each.name == "COPY"]
    return [
        path.rstrip("/")
        for each in copies
        if not any(flag.startswith("--from=") for flag in each.flags)
        for path in each.words[:-1]
    ]


def is_sent(path: str) -> bool:
    """Whether this path, relative to the project's folder, gets past Dockerfile.dockerignore.

    The last line that matches it, or a folder that it is in, decides.
    """
    sent = True
    parts = path.split("/")
    ways = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line.startswith("#"):
            continue
        if any(_matches(way, pattern) for way in ways):
            sent = line.startswith("!")
    return sent


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(path.rpartition("/")[2], pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and fnmatch.fnmatch(path, pattern)
