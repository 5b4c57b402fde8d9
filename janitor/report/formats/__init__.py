"""One module a format, named as --format says it."""
