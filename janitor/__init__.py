"""janitor: scheduled housekeeping for the API tokens that LISA keeps in DynamoDB."""

__version__ = "1.0.0"
