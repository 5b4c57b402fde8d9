"""Who reads the segments of a table, and what their rows come to. Nothing here writes to the table."""
