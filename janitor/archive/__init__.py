"""Plan and archive files: the rows that a run deletes, on disk and in S3."""
