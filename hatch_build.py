"""Build the long description of the package: the README, whose links and pictures work only in the repository."""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# The address of the repository, which the release workflow knows: https://HOST/OWNER/NAME
REPOSITORY = "TOKEN_JANITOR_REPOSITORY"
_RELATIVE_LINK = re.compile(r"(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)]*)\)")


def make_description(readme: str, version: str, repository: str | None) -> str:
    """Make the links lead to the files of this version. Without an address they become text, the name of the file."""

    def replace(link: re.Match[str]) -> str:
        if repository:
            kind = "raw" if link["mark"] else "blob"
            return f"{link['mark']}[{link['text']}]({repository}/{kind}/v{version}/{link['path']})"
        if link["mark"]:
            return f"> {link['text']}"
        return link["text"] if link["path"].startswith(link["text"]) else f"{link['text']} ({link['path']})"

    return _RELATIVE_LINK.sub(replace, readme)


class DescriptionHook(MetadataHookInterface):
    """Called by hatchling for every build."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = make_description(readme, metadata["version"], os.environ.get(REPOSITORY))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
