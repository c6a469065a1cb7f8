"""What was installed, from outside: an empty home, and nothing but kubectl and the installed programs on the PATH."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.support.background import Background, in_background

SMALL = ("--pods", "2", "--nodes", "2", "--rate", "100", "--deregistration-delay", "1s")
"""The smallest cluster that has a node to drain and one for the replacements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A user's shell."""

    kubectl: Path
    environment: Mapping[str, str]

    def start(self, *arguments: str, **more: str) -> AbstractContextManager[Background]:
        """Start `kubectl safe`; it is killed at the end where it still runs."""
        return in_background([str(self.kubectl), "safe", *arguments], {**self.environment, **more})

    def drain(self) -> str:
        """Drain a node of the demo's cluster under traffic, and return what the demo says of the traffic."""
        with self.start("demo", "--keep", *SMALL) as demo:
            demo.await_line("Ctrl-C here ends it all.")
            exports = [line.removeprefix("export ") for line in demo.stdout.splitlines() if line.startswith("export ")]
            cluster = {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in exports)}
            assert "PATH" not in cluster, "what was installed is on it"
            with self.start("drain", "node-a", "--settle", "5s", **cluster) as drain:
                assert drain.wait(120) == 0, drain.stderr
            assert "node/node-a drained" in drain.stdout
            assert "target" in drain.stdout, "the load balancer was asked"
            demo.process.terminate()
            demo.wait(30)
        counted = demo.stdout.splitlines()[-1]
        assert re.match(r"[1-9]\d* requests, 0 lost, ", counted), counted
        return counted


def outside(kubectl: Path, programs: Path, folder: Path) -> Outside:
    """Return the shell of a user who has some programs.

    Args:
        kubectl: the program.
        programs: the folder with what was installed.
        folder: an empty one, for the home.
    """
    (folder / "bin").mkdir()
    (folder / "bin" / "kubectl").symlink_to(kubectl)
    (folder / "home").mkdir()
    environment = {"HOME": str(folder / "home"), "PATH": f"{folder / 'bin'}:{programs}"}
    return Outside(kubectl=kubectl, environment=environment)
