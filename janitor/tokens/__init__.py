"""What a row means: pure rules over values. No I/O, no clock, and no import of other janitor packages."""
