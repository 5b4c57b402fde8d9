"""What came of a restore, as it is said: a line a row as it is settled, or one JSON object at the end."""

import json
from collections import Counter
from typing import Any

from janitor.dynamodb.locate import Table
from janitor.lifecycle.put_back import CHANGED, FAILED, RESTORED, STANDS, Restored
from janitor.report.text import NOTHING
from janitor.tokens.printable import printable
from janitor.tokens.redact import redacted_texts

MOST_LISTED = 10_000
_MOST_MESSAGES = 5

_WORDS = {
    STANDS: "skipped: a row with its key stands",
    CHANGED: "skipped: it was not deleted",
    FAILED: "failed",
}


class RestoreSummary:
    """Counts what becomes of each chosen row. Its size does not grow with them beyond the rows it lists.

    Attributes:
        messages: why rows failed, each sentence once.
    """

    def __init__(self, table: Table, *, is_dry_run: bool) -> None:
        self._table = table
        self._is_dry_run = is_dry_run
        self._counts: Counter[str] = Counter()
        self._rows: list[dict[str, Any]] = []
        self.messages: list[str] = []

    @property
    def chosen(self) -> int:
        """How many rows were asked for and found."""
        return self._counts.total()

    @property
    def failed(self) -> int:
        """How many of them could not be put back."""
        return self._counts[FAILED]

    def add(self, restored: Restored) -> str:
        """Count a row, and give the line that says what became of it."""
        self._counts[restored.outcome] += 1
        message = str(restored.error) if restored.error else None
        if message and message not in self.messages and len(self.messages) < _MOST_MESSAGES:
            self.messages.append(message)
        planned, username = restored.planned, redacted_texts(restored.row).username
        if len(self._rows) < MOST_LISTED:
            names = {"fingerprint": planned.fingerprint, "row_name": planned.row_name}
            self._rows.append({**names, "username": username, "outcome": restored.outcome})
        name = printable(planned.row_name or planned.fingerprint)
        return f"{name}  {_WORDS.get(restored.outcome, self._done)}  {printable(username or NOTHING)}"

    def lines(self) -> list[str]:
        """The sentences behind the rows' lines."""
        restored = self._counts[RESTORED]
        said = [f"{restored:,} of {self.chosen:,} chosen rows {self._done} to {self._table.name}."]
        if restored:
            said.append("They are as they were: a token that had expired is still expired, and LISA refuses it.")
        return said

    def json(self) -> str:
        """All of it as `janitor.restore/v1`."""
        table = self._table
        content = {
            "schema": "janitor.restore/v1",
            "table": {"name": table.name, "region": table.region, "account_id": table.account_id},
            "dry_run": self._is_dry_run,
            "chosen": self.chosen,
            "restored": self._counts[RESTORED],
            "skipped": {STANDS: self._counts[STANDS], CHANGED: self._counts[CHANGED]},
            "failed": self.failed,
            "rows": self._rows,
            "rows_omitted": self.chosen - len(self._rows),
        }
        return json.dumps(content, indent=2)

    @property
    def _done(self) -> str:
        return "would be restored" if self._is_dry_run else "restored"
