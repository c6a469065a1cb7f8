"""The rules of `check`: each fires, and does not."""
