"""The one family of errors that ends a command. A message names the object, the fact and the remedy."""

FROM_SERVER = "Error from server"
"""How kubectl begins what the API server answers; `error: ` does not stand before that."""


class KubectlSafeError(Exception):
    """A failure that the reader can do something about; the CLI turns it into exit code 1."""


class UsageError(KubectlSafeError):
    """The command line asks for something that can't be meant; exit code 2."""


class Interrupted(KubectlSafeError):  # noqa: N818 - what happened, said as people say it
    """Somebody stopped the run by a signal, and what was under way was ended; exit code 130."""


class NotFoundError(KubectlSafeError):
    """What is named is not there, told as kubectl tells it: in a line for each."""

    def __init__(self, *named: str) -> None:
        super().__init__("\n".join(f"{FROM_SERVER} (NotFound): {its} not found" for its in named))


class UncheckedError(KubectlSafeError):
    """What was to be checked could not be looked at, so that nothing can be said of it; exit code 2."""
