"""What a row means: pure rules over values. No I/O, no clock, no import of anything else of ours."""
