"""How much of a table comes over the wire: a scan by boto3 and one by janitor, on Amazon's own DynamoDB Local."""

import json
import urllib.parse

from tests.bench.commands import janitor_scan, peer
from tests.bench.counting_proxy import CountingProxy, counting_proxy
from tests.bench.figures import Figure, at_most
from tests.bench.local_table import local_table
from tests.bench.processes import CommandFailedError, output_of
from tests.bench.rows import state_of
from tests.dynamodb_local import cache_folder, find

_ROWS = 20_000
_FINDING_EVERY = 100
_GOAL_PERCENT = 2.0


def run() -> list[Figure]:
    """Scan one table both ways through a proxy that counts; without DynamoDB Local, say why there is no figure."""
    installation = find(cache_folder())
    if isinstance(installation, str):
        return [Figure("bytes on the wire", f"not measured: {installation}", f"<= {_GOAL_PERCENT:.1f} %")]
    with (
        local_table(installation, _ROWS, finding_every=_FINDING_EVERY) as url,
        counting_proxy(urllib.parse.urlsplit(url).port or 0) as proxy,
    ):
        return _compare(proxy)


def _compare(proxy: CountingProxy) -> list[Figure]:
    whole = json.loads(output_of(peer("paginator", proxy.url)))
    whole_bytes = proxy.take()
    counts = json.loads(output_of(janitor_scan(proxy.url, "--segments", "1", "--format", "json")))["counts"]
    our_bytes = proxy.take()
    found = (counts["scanned"], counts["scanned"] - counts["active"])
    expected = (_ROWS, sum(state_of(number, finding_every=_FINDING_EVERY) != "active" for number in range(_ROWS)))
    if found != expected or (whole["rows"], whole["findings"]) != expected:
        raise CommandFailedError(f"wire: (rows, findings) are {found} and {whole} where the table has {expected}")
    return [
        Figure(f"boto3 scan of {_ROWS:,} rows, response bytes", f"{whole_bytes:,}"),
        Figure(f"janitor scan of {_ROWS:,} rows, response bytes", f"{our_bytes:,}"),
        at_most("janitor / boto3, 1 % findings", 100 * our_bytes / whole_bytes, _GOAL_PERCENT, form="{:.2f} %"),
    ]
