"""What a container's command runs, as far as its words tell: a program, or a shell's script."""

import re
from collections.abc import Sequence

_SHELL = re.compile(r"(?:/\S+/)?(?:ba|da|a|k|z)?sh")
_TAKES_SCRIPT = re.compile(r"-\w*c")
BETWEEN_COMMANDS = re.compile(r"&&|\|\||[;|\n]")


def script_of(command: Sequence[str]) -> str | None:
    """Return what a shell is given to run; None where the command is no shell's, or names a file."""
    if not command or not _SHELL.fullmatch(command[0]):
        return None
    flags = (place for place, word in enumerate(command[1:-1], start=1) if _TAKES_SCRIPT.fullmatch(word))
    place = next(flags, None)
    return None if place is None else command[place + 1]


def commands_in(script: str) -> list[str]:
    """Return the commands of a script, each of which runs after the one before it, or beside it."""
    return [part.strip() for part in BETWEEN_COMMANDS.split(script) if part.strip()]
