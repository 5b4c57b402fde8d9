"""`janitor demo`: an embedded DynamoDB, and a table of made-up tokens as LISA stores them."""
