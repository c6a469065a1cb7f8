"""Whole runs of the tool in virtual time, on the embedded cluster."""
