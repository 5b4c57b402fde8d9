"""AWS itself: who asks, what went wrong there, said once for the whole program."""
