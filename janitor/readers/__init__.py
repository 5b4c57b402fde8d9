"""Readers of tables and sources, and how they judge rows. Nothing here writes to the table."""
