"""The AWS adapter: over scripted answers on loopback, and in virtual time."""
