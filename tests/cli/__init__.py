"""The command line: what it takes, what it refuses, and what that costs."""
