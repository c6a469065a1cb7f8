"""How a demonstration can fail to show anything."""


class DemoFailedError(Exception):
    """A tool or the cluster did not do what the demonstration needs; the message says which, and what it said."""


class DemoStoppedError(Exception):
    """A signal asked for the end; everything that was started has ended."""
