"""`python -m janitor` is `janitor`."""

from janitor.cli.app import entry_point

if __name__ == "__main__":
    entry_point()
