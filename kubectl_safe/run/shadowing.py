"""Which programs kubectl would run instead of this one."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

PLUGIN = "kubectl-safe"


def shadows(commands: Iterable[str], *, itself: str, path: str | None = None) -> Mapping[str, str]:
    """Return the programs on the PATH that are run for our commands, by the command line.

    kubectl looks for the plugin with the longest name first: for `kubectl safe drain` that is `kubectl-safe-drain`
    (kubectl, "Extend kubectl with plugins"). Words are joined by dashes; dashes in them become underscores.

    Args:
        commands: as they are typed after `kubectl safe`, such as `rollout restart`.
        itself: the file of the program that runs; links to it are no others.
        path: folders to look in; None for the PATH.
    """
    names = {f"kubectl safe {words}": f"{PLUGIN}-{words.replace('-', '_').replace(' ', '-')}" for words in commands}
    if Path(itself).name == PLUGIN:
        names["kubectl safe"] = PLUGIN
    found = {line: file for line, name in names.items() if (file := shutil.which(name, path=path))}
    ours = os.path.realpath(itself)
    return {line: file for line, file in found.items() if os.path.realpath(file) != ours}
