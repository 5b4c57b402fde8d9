"""Shards of one run: how they meet, what they go by, and the one report of them all."""
