"""The demonstration: what it shows, how it ends, and that nothing is left of it."""
