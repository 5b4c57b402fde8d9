"""From settings to jobs: the only place that picks variants, reads the clock and reads the environment."""
