"""`janitor doctor`: check what a run needs, in the order in which a run would meet it."""
