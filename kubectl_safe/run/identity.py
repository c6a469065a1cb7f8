"""Who this process is, to others who find its Leases."""

import getpass
import os
import secrets
import socket

from kubectl_safe.model.lease import identity


def our_identity() -> str:
    """Return who we are: it tells people who, and is another at each call."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        user = str(os.getuid())
    return identity(user=user, host=socket.gethostname(), pid=os.getpid(), nonce=secrets.token_hex(4))
