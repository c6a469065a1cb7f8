"""Drain nodes and restart workloads without losing a request."""

__version__ = "0.1.0"
