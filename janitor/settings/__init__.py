"""Every setting once: its flag, its environment variable, its default and its help.

A setting is a field of one of the frozen groups here (`settings` says how it is declared). `--expiring-within` is the
field `expiring_within`, the variable `JANITOR_EXPIRING_WITHIN`, and later the key of a schedule file. `cli/options.py`
makes the flags from these fields, so that there is no second list to keep in step.
"""
