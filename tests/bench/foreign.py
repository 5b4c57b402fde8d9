"""The peers that need an environment of their own: each pins another botocore than janitor's."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.dynamodb_local import cache_folder

_REQUIREMENTS = ("awscli==1.45.11", "aws-dynamodb-parallel-scan==1.2.0")
_FETCH_SECONDS = 300


def foreign_bin() -> Path | str:
    """Give the folder of the environment's programs, made on first use; or say in words why there is none."""
    folder = cache_folder() / f"bench-peers-{'-'.join(_REQUIREMENTS)}-{sys.version_info.major}.{sys.version_info.minor}"
    programs = folder / "bin"
    if not (programs / "aws").exists():
        try:
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(str(programs / "python"), "-m", "pip", "install", "--quiet", *_REQUIREMENTS)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            return f"{' and '.join(_REQUIREMENTS)} could not be installed ({type(error).__name__})"
    return programs


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=_FETCH_SECONDS)
