"""The daemon: schedules, runs, and a few pages over HTTP.

Each file of the folder is a job (`schedule_folder`, `jobs`). The scheduler fires it on its cron line (`scheduler`). It
waits until no other run works on its tables (`table_queue`), and then runs in a process of its own (`job_runner`,
`run_process`), so that a crash ends the run and not the daemon. What happened is remembered over restarts
(`job_memory`) and read from the report that the run left (`last_report`). Both make the present status (`status`),
which the pages show (`page`, `api`, `metrics`, `page_server`). `daemon` ties these together.
"""
