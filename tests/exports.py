"""Exports to S3 and dumps of rows, as DynamoDB and the AWS CLI write them."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.tables import SAMPLE_NOW, Item

REGION, ACCOUNT = "eu-central-1", "123456789012"
BUCKET, PREFIX = "exports", "nightly"
EXPORT_ID = "01693685827463-2d8752fd"
FOLDER = f"{PREFIX}/AWSDynamoDB/{EXPORT_ID}"


def export_files(rows: Sequence[Item], *, table: str = "tokens", parts: int = 3, **changes: Any) -> dict[str, bytes]:
    """The files of a full export by their path from its folder; `changes` are keys of its summary.

    Its last part is of an empty partition.
    """
    files: dict[str, bytes] = {"_started": b""}
    described = []
    for number in range(parts + 1):
        of_part = rows[number::parts] if number < parts else []
        name = f"data/part{number:04}.json.gz"
        files[name] = zipped(of_part)
        described.append(
            {
                "itemCount": len(of_part),
                "md5Checksum": base64.b64encode(hashlib.md5(files[name]).digest()).decode(),  # noqa: S324
                "etag": "af83d6f217c19b8b0fff8023d8ca4716-1",
                "dataFileS3Key": f"{FOLDER}/{name}",
            }
        )
    files["manifest-files.json"] = "".join(f"{json.dumps(part)}\n" for part in described).encode()
    summary = {
        "version": "2020-06-30",
        "exportArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/export/{EXPORT_ID}",
        "startTime": "2027-01-14T07:28:34.028Z",
        "endTime": "2027-01-14T07:33:43.897Z",
        "tableArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}",
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "exportTime": "2027-01-14T07:28:34.028Z",
        "s3Bucket": BUCKET,
        "s3Prefix": PREFIX,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{FOLDER}/manifest-files.json",
        "billedSizeBytes": 0,
        "itemCount": len(rows),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    files["manifest-summary.json"] = json.dumps(summary | changes).encode()
    return files


def zipped(rows: Iterable[Item]) -> bytes:
    """A part of an export."""
    return gzip.compress(b"".join(b"%s\n" % json.dumps({"Item": row}).encode() for row in rows), mtime=SAMPLE_NOW)


def written(files: dict[str, bytes], folder: Path) -> Path:
    """The folder, with these files in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def dump(rows: Sequence[Item], **changes: Any) -> bytes:
    """What `aws dynamodb scan --output json` prints; `changes` are keys of it."""
    answer = {"Items": list(rows), "Count": len(rows), "ScannedCount": len(rows), "ConsumedCapacity": None}
    return json.dumps(answer | changes, indent=4, ensure_ascii=False).encode() + b"\n"
