"""The rows of a table without touching it: from an export to S3, or from a dump."""
