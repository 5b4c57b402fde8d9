"""DynamoDB Local, fetched once into a cache: `python tests/dynamodb_local.py CACHE_FOLDER`.

Amazon publishes it inside an npm package, and its licence forbids us to pass it on: it never enters git.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION = "2.9.30"
PACKAGE = f"amplify-dynamodb-simulator@{VERSION}"
SHA256 = "3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9"
EMULATOR = "package/emulator/"
OLDEST_JAVA = 17
FETCH_SECONDS = 600
JAVA_SECONDS = 30


@dataclass(frozen=True)
class Installation:
    """A DynamoDB Local that can be started: the path of `java`, and the folder of the emulator's jar."""

    java: str
    folder: Path


class FetchError(Exception):
    """The package did not come, because the network or npm failed: nothing was installed."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of fetched things: TOKEN_JANITOR_TEST_CACHE, or the one that the Makefile uses."""
    if chosen := environment.get("TOKEN_JANITOR_TEST_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "token-janitor"


def find(cache: Path) -> Installation | str:
    """Return the installation in this cache, or the reason in words why there is none to start."""
    java = _java()
    if not isinstance(java, Path):
        return java
    folder = _folder(cache)
    if not folder.is_dir():
        return f"DynamoDB Local is not in {cache}: `make dynamodb-local` fetches it"
    return Installation(str(java), folder)


def install(cache: Path) -> str:
    """Fetch DynamoDB Local into this cache and say so in a line; an empty line means that it was there already.

    Raises:
        FetchError: npm could not get the package.
        ValueError: The package is not the one we know.
    """
    folder = _folder(cache)
    if folder.is_dir():
        return ""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is one rename: an interrupted fetch leaves nothing half there.
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as temporary:
        unpacked = _unpack(fetch_package(Path(temporary), PACKAGE, SHA256), Path(temporary) / "emulator")
        try:
            unpacked.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another fetch came first, with the same bytes
                raise
    return f"DynamoDB Local ({PACKAGE}) is now in {folder}"


def fetch_package(folder: Path, package: str, sha256: str) -> Path:
    """Have npm put this package's tarball into this folder, and return its path once its checksum is right.

    Raises:
        FetchError: npm could not get the package.
        ValueError: The package is not the one we know.
    """
    command = ["npm", "pack", "--loglevel=error", "--ignore-scripts", package]
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise FetchError(f"npm could not fetch {package}: {error}") from error
    tarball = folder / f"{package.replace('@', '-')}.tgz"
    if answer.returncode != 0 or not tarball.is_file():
        last = [*answer.stderr.split("\n"), f"exit code {answer.returncode}"]
        raise FetchError(f"npm could not fetch {package}: {next(line for line in last if line.strip())}")
    with tarball.open("rb") as content:
        actual = hashlib.file_digest(content, "sha256").hexdigest()
    if actual != sha256:
        raise ValueError(f"{package} has the sha256 {actual}, and not {sha256}")
    return tarball


def main(arguments: list[str], environment: Mapping[str, str] = os.environ) -> int:
    """Install into the folder that is named, and return the exit code.

    Where it cannot be had, tests that need it skip, so that is no failure; CI must run them, so there it is one.
    """
    if len(arguments) != 1:
        return _say("usage: python tests/dynamodb_local.py CACHE_FOLDER", code=2)
    cache = Path(arguments[0])
    unavailable = 1 if environment.get("CI") == "true" else 0
    java = _java()
    if not isinstance(java, Path):
        return _say(f"no DynamoDB Local: {java}", code=unavailable)
    if not _folder(cache).is_dir() and shutil.which("npm") is None:
        return _say("no DynamoDB Local: npm is not on the PATH, and it is what fetches it", code=unavailable)
    try:
        return _say(install(cache), code=0)
    except FetchError as error:
        return _say(f"no DynamoDB Local: {error}", code=unavailable)
    except (ValueError, OSError) as error:
        return _say(f"no DynamoDB Local: {error}", code=1)


def _folder(cache: Path) -> Path:
    return cache / "dynamodb-local" / VERSION


def _java() -> Path | str:
    java = shutil.which("java")
    if java is None:
        return f"java is not on the PATH; it needs Java {OLDEST_JAVA} or later"
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=JAVA_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{java} does not run: {error}"
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None:
        return f"{java} does not say its version"
    if int(version[1]) < OLDEST_JAVA:
        return f"{java} is too old; it needs Java {OLDEST_JAVA} or later"
    return Path(java)


def _unpack(tarball: Path, target: Path) -> Path:
    """Write the tarball's emulator files into this folder, and return the folder."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            content = archive.extractfile(member)  # None for whatever is not a file
            if content is None or not member.name.startswith(EMULATOR):
                continue
            path = target / member.name.removeprefix(EMULATOR)
            path.parent.mkdir(parents=True, exist_ok=True)
            with content, path.open("wb") as file:
                shutil.copyfileobj(content, file)
    return target


def _say(line: str, *, code: int) -> int:
    if line:
        sys.stdout.write(f"{line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
