"""What time it is for the sandbox's actors: that of the event loop that they run on, where it has one of its own.

In real time that is the system's clock; on a loop in virtual time it is the loop's.
"""

import asyncio
import time as system
from datetime import UTC, datetime


def time() -> float:
    """Return the seconds since the Unix epoch."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return system.time()
    wall = getattr(loop, "wall", None)
    return system.time() if wall is None else float(wall())


def stamp() -> str:
    """Return this instant as objects of the API tell it, in whole seconds."""
    return datetime.fromtimestamp(time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
