"""The one family of errors that ends a command. A message names the object, the fact and the remedy."""


class KubectlSafeError(Exception):
    """A failure that the reader can do something about; the CLI turns it into exit code 1."""


class UsageError(KubectlSafeError):
    """The command line asks for something that can't be meant; exit code 2."""


class Interrupted(KubectlSafeError):  # noqa: N818 - what happened, said as people say it
    """Somebody stopped the run by a signal, and what was under way was ended; exit code 130."""


class UncheckedError(KubectlSafeError):
    """What was to be checked could not be looked at, so that nothing can be said of it; exit code 2."""
