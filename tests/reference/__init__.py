"""The pages of docs/reference that are made from the code: `make format` writes them, `make lint` compares them."""
