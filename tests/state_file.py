"""Meddling with the records in a state file: as time does, as somebody else's program does, as damage does."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any


def connected(state: str | Path) -> "closing[sqlite3.Connection]":
    """The state file at this path or URL; each statement is committed."""
    path = str(state).removeprefix("sqlite:///")
    return closing(sqlite3.connect(path, isolation_level=None))


def rewrite(state: str | Path, kind: str, change: Callable[[Any], object]) -> int:
    """Rewrite the fields of every record of a kind (`mark`, `note/heard`, `run`, `lease`); how many there are.

    Args:
        state: the file's path or URL.
        kind: what the records' names begin with.
        change: gets the fields and changes them in place.
    """
    with connected(state) as file:
        rows = file.execute("SELECT scope, name, content FROM record WHERE name LIKE ?", (f"{kind}%",)).fetchall()
        for scope, name, content in rows:
            fields = json.loads(content)
            change(fields)
            file.execute(
                "UPDATE record SET content = ? WHERE scope = ? AND name = ?", (json.dumps(fields).encode(), scope, name)
            )
    return len(rows)


def overwrite(state: str | Path, kind: str, content: object) -> int:
    """Put this in the place of what every record of a kind holds; how many there are."""
    with connected(state) as file:
        return file.execute("UPDATE record SET content = ? WHERE name LIKE ?", (content, f"{kind}%")).rowcount


def remove(state: str | Path, kind: str) -> None:
    """Remove every record of a kind."""
    with connected(state) as file:
        file.execute("DELETE FROM record WHERE name LIKE ?", (f"{kind}%",))


def refuse(state: str | Path, condition: str) -> None:
    """Let the file refuse to take records for which this condition on `NEW` is met."""
    with connected(state) as file:
        file.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON record WHEN {condition} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
