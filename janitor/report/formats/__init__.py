"""One module for each format, named as in `--format`."""
