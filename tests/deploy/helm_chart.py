"""What the Helm chart renders to, and the table of its values: `python -m tests.deploy.helm_chart` writes it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import yaml

from tests.deploy.kubernetes_manifests import Manifests

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm"
README = CHART / "README.md"
BLOCK = re.compile(r"(?<=<!-- values -->\n).*?(?=<!-- /values -->)", re.DOTALL)
LINE = re.compile(r"(?P<indent> *)(?P<key>\w+):(?P<value>.*)")
NOTES = "janitor/templates/NOTES.txt"


def files_with(values: dict[str, Any]) -> dict[str, str]:
    """Return what each template becomes with these values."""
    with helm_python.Chart.load(CHART) as chart:
        return chart.render(values, name="ours", namespace="token-janitor")


def rendered_with(values: dict[str, Any]) -> Manifests:
    """Return the objects that these values make."""
    texts = [text for name, text in files_with(values).items() if name != NOTES]
    return Manifests(tuple(each for text in texts for each in yaml.safe_load_all(text) if each))


def values_table() -> str:
    """Return the table of the README, of the comments in values.yaml."""
    rows = [f"| `{name}` | `{default}` | {text} |\n" for name, default, text in _values()]
    return "".join(["| value | default | what it is |\n", "| --- | --- | --- |\n", *rows])


def _values() -> Iterator[tuple[str, str, str]]:
    """Yield name, default and comment of each value; a value without its own comment takes that of the group."""
    comment: list[str] = []
    group, of_group = "", ""
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip("# "))
            continue
        if match := LINE.fullmatch(line):
            said = " ".join(comment)
            if match["indent"]:
                default = json.dumps(yaml.safe_load(match["value"]))
                yield f"{group}.{match['key']}", default, said or of_group
            elif match["value"]:
                yield match["key"], json.dumps(yaml.safe_load(match["value"])), said
            else:
                group, of_group = match["key"], said
        comment = []


def main() -> None:
    """Write the table of values into the chart's README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: values_table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
