"""janitor: scheduled housekeeping for the API tokens that LISA keeps in DynamoDB."""

__version__ = "0.1.0"
