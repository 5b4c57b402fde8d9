"""The work of `janitor token ...` and `janitor restore`: single rows, from adding to putting back."""
