"""Sinks write reports, metrics and notices. A failure of a sink is an error in the report, and never ends the run."""
