"""A fault of ours: one line for the reader, and what we need to find it in a file of its own."""

import os
import platform
import shlex
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from kubectl_safe import __version__
from kubectl_safe.model.masking import mask_arguments, mask_known, mask_text
from kubectl_safe.render.output import echo
from kubectl_safe.render.text import plain
from kubectl_safe.run.clock import now

HARMLESS = "nothing that serves was harmed: run the same command again, and please report this"


def tell(error: Exception, arguments: Sequence[str]) -> str:
    """Print one line to stderr that says where the details are, and return it; print details that can't be kept.

    Args:
        error: what no part of the program expected.
        arguments: the command line, whose credentials are shown to nobody.
    """
    details = mask_known(_details(error, arguments), arguments)
    try:
        where = f" (details: {_keep(details)})"
    except OSError:
        echo(plain(details), err=True)
        where = ""
    line = f"kubectl-safe failed: {mask_known(_fact(error), arguments)}{where}; {HARMLESS}"
    echo(plain(f"error: {line}"), err=True)
    return line


def _fact(error: Exception) -> str:
    message = " ".join(mask_text(str(error)).split())
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def _details(error: Exception, arguments: Sequence[str]) -> str:
    return (
        f"kubectl-safe {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{now().isoformat(timespec='seconds')}\n"
        f"kubectl safe {shlex.join(mask_arguments(arguments))}\n\n"
        f"{mask_text(''.join(traceback.format_exception(error)))}"
    )


def _keep(details: str) -> Path:
    """Write the details where only the reader may read them, and return the file's path.

    Raises:
        OSError: it can't be written.
    """
    path = Path(tempfile.gettempdir(), f"kubectl-safe-{now():%Y%m%dT%H%M%SZ}-{os.getpid()}.log")
    # Never through a file or a link that somebody else has put there: the directory is everybody's.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 - a descriptor
        file.write(details)
    return path
