"""The report of a run: its model, how it is built, its formats. Also what `doctor` and `token` commands report."""
