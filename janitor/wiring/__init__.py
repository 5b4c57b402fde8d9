"""Builds runs from settings: opens tables and stores, and picks readers, sinks and formats."""
