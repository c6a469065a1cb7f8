"""The command with one of its safeguards taken out: programs that the tests run in its place."""
