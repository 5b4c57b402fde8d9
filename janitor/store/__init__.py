"""What earlier runs left: records in a file of this machine or in a DynamoDB table (`--state-url`)."""
