"""Read a table's rows from an export to S3 or from a dump, without touching the table."""
