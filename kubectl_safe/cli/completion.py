"""Completes command lines for kubectl, and for shells, in the format of cobra's `__complete`.

That is a candidate a line, with what it means after a tab, and at last a colon with a number that says how the shell is
to go on (https://github.com/spf13/cobra/blob/v1.10.2/completions.go). Nothing is told of what goes wrong: somebody is
typing.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMAND = "__complete"
EXECUTABLE = "kubectl_complete-safe"
"""What kubectl runs to complete `kubectl safe` (k8s.io/kubectl, pkg/cmd/plugin_completion.go)."""

NO_SPACE, NO_FILES = 2, 4
"""Directives of cobra: no space follows a candidate; no file is a candidate."""


def words_to_complete(command: Sequence[str]) -> list[str] | None:
    """Return the words so far, the last of them unfinished; None where a command is to be run.

    Args:
        command: the arguments, with the name by which we were called.
    """
    name, *words = command
    if PurePath(name).name == EXECUTABLE:
        return words or [""]
    return (words[1:] or [""]) if words[:1] == [COMMAND] else None


def completed(cli: click.Command, before: Sequence[str], incomplete: str) -> str:
    """Return how a word may go on, as cobra would print it.

    Args:
        cli: all commands.
        before: the words before it, as click reads them.
        incomplete: the word. Of `--flag=value`, candidates are values only, as the shells' scripts want it.
    """
    from click.shell_completion import ShellComplete

    if not _is_known(cli, before):
        return f":{NO_FILES}\n"
    found = ShellComplete(cli, {}, "kubectl safe", "").get_completions(list(before), incomplete)
    if any(item.type == "file" for item in found):
        return ":0\n"
    # A shell inserts a candidate as it is, and would read some names as commands once the line is run.
    items = [item for item in found if shlex.quote(item.value) == item.value]
    has_rest = bool(items) and all(item.value.endswith("/") for item in items)
    directive = NO_FILES | NO_SPACE if has_rest else NO_FILES
    return "".join(f"{line}\n" for line in [*map(_line, items), f":{directive}"])


def _is_known(command: click.Command | None, words: Sequence[str]) -> bool:
    """Tell whether there is such a command; to click, what follows an unknown one is in its place."""
    for word in words:
        if not isinstance(command, click.Group):
            break
        if not word.startswith("-"):
            command = command.get_command(click.Context(command), word)
    return command is not None


def _line(item: "CompletionItem[str]") -> str:
    described = " ".join((item.help or "").split())
    # Where a sentence ends, and not an abbreviation.
    first = re.split(r"(?<=[\w)]{2})[.;] ", described, maxsplit=1)[0].removesuffix(".")
    return f"{item.value}\t{first}" if first else item.value
