"""What kubectl tells a shell of `kubectl safe`."""

import subprocess
from collections.abc import Mapping
from pathlib import Path


def completed(kubectl: Path, environment: Mapping[str, str], *words: str) -> str:
    """Return how the last of the words after `kubectl safe` may go on, as kubectl prints it for the shells."""
    command = [str(kubectl), "__complete", "safe", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
