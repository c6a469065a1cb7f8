"""Completion in real shells, by TAB."""
