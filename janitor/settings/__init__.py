"""Every setting, declared once: its flag, its environment variable, its default and its help.

A setting is a field of one of the frozen groups here (`setting.py` has how it is declared). The field `expiring_within`
is the flag `--expiring-within`, the variable `JANITOR_EXPIRING_WITHIN` and a key of a schedule file. `cli/options.py`
and `schedule_keys.py` make flags and keys from the fields; exceptions, such as a setting without a key, are listed.
"""
