"""The way out to stdout and stderr: a reader who went away never breaks a run.

Whoever reads may stop at any moment: `head` closes its pipe, a terminal is hung up, a disk is full. A handoff that has
begun is finished all the same; it only has nobody to tell any more.
"""

import contextlib
import os
import re
import shlex
import sys
from contextvars import ContextVar

import click

from kubectl_safe.render.text import plain

SAME_CLUSTER: ContextVar[tuple[str, ...]] = ContextVar("SAME_CLUSTER", default=())
"""The flags that another command needs to lead to the cluster of this one, as the same user."""

_COMMAND = re.compile(
    r"\bkubectl safe (?=(?:abort|check|rollout restart|rollout status) \S*/|uncordon \S|drain \S+ --)"
)
"""A command in a text that the reader may run: one with its arguments, not the name of one."""


def echo(
    text: str, *, err: bool = False, nl: bool = True, color: bool | None = None, is_document: bool = False
) -> None:
    """Print to stdout, or to stderr; where that can't be written to, it is silent from then on.

    Nothing of a text that a terminal would obey gets there, whoever it is from.

    Args:
        text: what to print.
        err: whether to stderr.
        nl: whether a line end follows.
        color: whether the text is what a terminal is to obey; None where it is to be read.
        is_document: whether programs read it, and it stays as it is.
    """
    if not color:
        text = plain(text if is_document else to_same_cluster(text))
    try:
        click.echo(text, nl=nl, err=err, color=color)
    except OSError:
        _silence(is_error=err)


def to_same_cluster(text: str) -> str:
    """Return a text whose commands lead to the cluster of this one: a reader pastes them as they are."""
    flags = SAME_CLUSTER.get()
    if not flags or "kubectl safe " not in text:
        return text
    return _COMMAND.sub(lambda _: f"kubectl safe {shlex.join(flags)} ", text)


def flush() -> None:
    """Write what is still held back, so that the interpreter has nothing left to fail on when it exits."""
    for is_error in (False, True):
        stream = sys.stderr if is_error else sys.stdout
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _silence(is_error=is_error)


def _silence(*, is_error: bool) -> None:
    """Lead a stream to nowhere: what it still holds goes there too, at the latest when the interpreter exits."""
    stream = sys.stderr if is_error else sys.stdout
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    except (OSError, ValueError, AttributeError):
        # It is no file, so nothing of the system's can be led elsewhere; nobody flushes it at the end either.
        replaced = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - it lives as long as the process
        if is_error:
            sys.stderr = replaced
        else:
            sys.stdout = replaced
    finally:
        os.close(nowhere)
    with contextlib.suppress(OSError, ValueError):
        (sys.stderr if is_error else sys.stdout).flush()
