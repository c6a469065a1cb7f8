"""The run loop against an in-memory cluster in virtual time."""
