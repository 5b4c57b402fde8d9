"""Reads and writes the token table; nothing else talks to DynamoDB about it."""
