"""Where a report goes. A sink's failure is a value, never the end of the run."""
