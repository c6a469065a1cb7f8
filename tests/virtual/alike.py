"""What makes two processes run alike: the order of sets, too, is part of a run."""

import os
import sys


def run_alike(module: str) -> None:
    """Begin this process anew, as `python -m MODULE`, unless its sets are ordered as everybody's."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
