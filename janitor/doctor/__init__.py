"""`janitor doctor`: the checks, in the order in which a run would come upon what they look at."""
