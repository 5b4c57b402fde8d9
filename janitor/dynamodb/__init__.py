"""The table's edge: the only place that talks to AWS about the token table."""
