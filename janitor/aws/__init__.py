"""Credentials and errors of AWS, for the whole program."""
