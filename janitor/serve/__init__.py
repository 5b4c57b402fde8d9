"""The daemon: schedules, runs, and a few pages over HTTP.

A file of the folder is a job (`folder`, `jobs`). The scheduler fires it on its cron line (`scheduler`), it waits until
no other run is at work on its tables (`turns`), and then a process of its own does it (`runs`), so that whatever
becomes of a run, the daemon stays. What happened is remembered over restarts (`memory`), read back from the report
that the run left (`kept`), put together for a moment (`board`), and shown (`page`, `api`, `metrics`, `http`).
`daemon` ties these together.
"""
