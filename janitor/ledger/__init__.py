"""What earlier runs left: notices sent, the last run, and what it found (`--state-url`)."""
