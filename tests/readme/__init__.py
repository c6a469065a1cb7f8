"""The documentation: each command that it shows is run."""
