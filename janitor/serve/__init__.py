"""The daemon: schedules, runs, and a few pages over HTTP."""
