"""The commands that the documentation shows, as its readers would type them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", ".github/IN_CLUSTER.md")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SHELL = {"console", "sh", "bash"}


def commands(page: str) -> list[str]:
    """Return each command of a page, in its order: the lines of shell blocks, and what stands behind a prompt."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for kind, block in _FENCE.findall(text):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        found += prompted or (lines if kind in _SHELL else [])
    return found


def shown(beginning: str, page: str = "README.md") -> str:
    """Return the one command of a page that begins so."""
    (found,) = (command for command in commands(page) if command.startswith(beginning))
    return found


def arguments(command: str) -> list[str]:
    """Return what a command of ours gets: without what its output is piped to, and without its comment."""
    words = shlex.split(command, comments=True)
    return words[2 : words.index("|") if "|" in words else None]
