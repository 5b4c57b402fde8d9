"""How many of a report's remarks are logged."""

from structlog.testing import capture_logs

from janitor.report.model import Remark
from janitor.run.remarks import log_remarks


def test_more_remarks_than_anybody_reads_are_counted() -> None:
    remarks = [Remark(where="table", code=f"code-{number}", message="it is so") for number in range(40)]
    with capture_logs() as logs:
        log_remarks(remarks, remarks, is_printed=False)
    assert [line["event"] for line in logs] == ["run.error"] * 40 + ["run.warning"] * 10 + ["run.remarks_omitted"]
    assert logs[-1]["omitted"] == 30
    assert [line["code"] for line in logs[:50]] == [f"code-{number % 40}" for number in range(50)]
