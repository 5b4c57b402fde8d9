"""What `janitor demo` tries janitor on: an embedded DynamoDB, and a table of made-up tokens as LISA keeps them."""
