"""schedule-file.md: each section of a schedule file, and each of its keys."""

from janitor.settings.schedule_keys import SECTIONS, Key
from janitor.settings.setting import flag, settings_of
from janitor.settings.table import TableSettings
from tests.reference.markdown import code, codes, page, prose, table

_OPENING = """\
After this page you can write a schedule file: one job in TOML, that `janitor run FILE` does now and `janitor serve FOLDER`
does at its time.

```toml
description = "Delete what expired a month ago"

[when]
cron = "30 2 * * *"
timezone = "Europe/Berlin"

[table]
deployment = "prod"

[policy]
grace = "30d"

[delete]
enabled = true
archive = "s3://our-archives/tokens/"
```

`janitor run FILE --check` says what is wrong with a file, with its line. `janitor schema schedule` prints its JSON Schema, for
editors. An unknown key is an error.

Besides the sections there is one key, `description`: what the job is for, in your words. A file with a section `[delete]` is a
sweep, and a dry run unless it says `enabled = true`; any other is a scan. `[table]` may stand several times, as `[[table]]`,
once for each table. A flag of `janitor run` and a variable beat the key, except for `enabled`, which only the file has. A key
that may hold several values takes one text or a list of texts. Without a `deadline` a run is stopped after an hour."""


def build_schedule_page() -> str:
    """Every section with a table of its keys."""
    parts = []
    for section, keys in SECTIONS.items():
        rows = [
            (code(name), _value(key), _default(key), prose(key.setting.help.replace(" Repeatable.", "")))
            for name, key in keys.items()
        ]
        parts += [f"## `[{section}]`", table(("key", "value", "default", "meaning"), rows)]
    names = codes(flag(name) for name in settings_of(TableSettings))
    parts.append(
        f"Each key is the option of the same meaning ([Options](options.md) names the key of each): those of `[table]` are {names}."
    )
    return page("Schedule file", _OPENING, *parts)


def _value(key: Key) -> str:
    setting = key.setting
    if setting.is_switch:
        return "`true` or `false`"
    if setting.choices:
        value = " or ".join(code(f'"{choice}"') for choice in setting.choices)
    elif key.takes_numbers:
        value = f"number, or text {code(setting.metavar.strip('[]'))}"
    elif setting.value_if_bare is not None:
        value = f"`true`, or text {code(setting.metavar.strip('[]'))}"
    else:
        value = f"text {code(setting.metavar.strip('[]'))}"
    return f"{value}; one or a list" if setting.is_repeatable else value


def _default(key: Key) -> str:
    setting = key.setting
    if setting.is_switch:
        return "`false`"
    if setting.default_words:
        return prose(setting.default_words)
    if setting.default is None:
        return ""
    return codes(setting.default.split()) if setting.is_repeatable else code(setting.default)
