"""The rules of a handoff: a table a rule, and random clusters against what must always hold."""
