"""Who this process is, to others who find its Leases."""

import getpass
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kubectl_safe.model.lease import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """Who takes Leases, by which clocks."""

    identity: str
    about: str
    elapsed: Callable[[], float]
    now: Callable[[], datetime]
    """For people only."""
    nodes: tuple[str, ...] = ()
    """The nodes that are drained under them."""

    @property
    def instant(self) -> str:
        """This instant as a Kubernetes MicroTime."""
        return self.now().isoformat(timespec="microseconds").replace("+00:00", "Z")


def our_identity() -> str:
    """Return who we are: it tells people who, and is another at each call."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        user = str(os.getuid())
    return identity(user=user, host=socket.gethostname(), pid=os.getpid(), nonce=secrets.token_hex(4))
