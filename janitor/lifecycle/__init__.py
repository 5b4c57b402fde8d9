"""What the commands of `janitor token` are made of."""
