"""One run, from table to report."""
