"""What is said: the report's model, how it is built, and a module a format."""
