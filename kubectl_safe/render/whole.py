"""Files that are there as a whole or not at all: whoever reads one never sees half of it."""

import os
from pathlib import Path


def check_writable(path: Path) -> None:
    """See that a file can be written, without touching it.

    Raises:
        OSError: it can't be; `strerror` says why.
    """
    if path.is_dir():
        raise IsADirectoryError(0, "is a directory")
    if path.exists():
        if not path.is_file():
            raise OSError(0, "is no regular file")
        if not os.access(path, os.W_OK):
            raise PermissionError(0, "permission denied")
    beside = _beside(path)
    # Rights alone don't tell: a file system may be read-only, and root may do everything.
    beside.touch(exist_ok=False)
    beside.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a file in UTF-8, in the place of the one that is there perhaps.

    Raises:
        OSError: it could not be written; what was there is there still.
    """
    beside = _beside(path)
    try:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        # A link stays one.
        beside.replace(path.resolve())
    finally:
        beside.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """Return a name in the same folder: only there a rename is done at once or not at all."""
    return path.resolve().parent / f".kubectl-safe-{os.getpid()}.tmp"
