"""Looks something up for somebody who is typing: it ends in time, and whatever befalls it is not heard of."""

import json
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

SECONDS = 1.25
"""How long it may take: with what kubectl and Python take to start, somebody waits for two seconds at most."""


def lookup(look: Callable[[], Iterable[str]]) -> list[str]:
    """Return what is found; nothing where it fails, or takes too long.

    It is a process of its own, in a session of its own, and the system ends it: nothing in Python interrupts a resolver
    or a file server that does not answer. A credential plugin ends with it, and neither can ask or tell a terminal
    anything.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_looking(look, writing)
    os.close(writing)
    try:
        with open(reading, encoding="utf-8") as answer:  # noqa: PTH123 - it is no path
            told = answer.read()
    finally:
        _end(child)
    # A list that is cut off would complete what is not unique.
    found: list[str] = json.loads(told) if told.endswith("]") else []
    return found


def _be_looking(look: Callable[[], Iterable[str]], writing: int) -> NoReturn:
    """Live the life of the process that looks; it does not return."""
    try:
        os.setsid()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        with open(writing, "w", encoding="utf-8") as answer:
            json.dump(list(look()), answer)
    finally:
        # Without a traceback, and without what the parent would do at its exit.
        os._exit(0)


def _end(child: int) -> None:
    """End the process, and what it has started."""
    # It may not have come to its session yet, and of a group of the dead macOS says that it is not ours.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
