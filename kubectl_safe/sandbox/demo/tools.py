"""The tools that are compared: kubectl, and kubectl-safe as the command that it is."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Protocol

import kubectl_safe
from kubectl_safe.sandbox.demo.commands import Say
from kubectl_safe.sandbox.demo.errors import DemoFailedError
from kubectl_safe.sandbox.demo.imitation import Imitation
from kubectl_safe.sandbox.demo.settings import SETTLE_SECONDS
from kubectl_safe.sandbox.demo.stage import NAMESPACE, Stage

_ANSWER_SECONDS = 10


class Tool(Protocol):
    """What drains a node and restarts the applications; `say` is told each step."""

    @property
    def name(self) -> str:
        """What people call it."""

    async def drain(self, stage: Stage, node: str, say: Say) -> None:
        """Drain a node."""

    async def restart(self, stage: Stage, say: Say) -> None:
        """Restart all applications."""


class Kubectl:
    """The real kubectl."""

    name = "kubectl"

    def __init__(self, path: str) -> None:
        self._path = path

    async def drain(self, stage: Stage, node: str, say: Say) -> None:
        """Drain a node."""
        await self._run(stage, ["drain", node], say)

    async def restart(self, stage: Stage, say: Say) -> None:
        """Restart all applications, and wait for the rollouts one after the other."""
        await self._run(stage, ["rollout", "restart", *stage.workloads, "-n", NAMESPACE], say)
        for workload in stage.workloads:
            await self._run(stage, ["rollout", "status", workload, "-n", NAMESPACE], say)

    async def knows(self, stage: Stage) -> None:
        """See that it works with the cluster.

        Raises:
            DemoFailedError: it does not, or takes too long.
        """
        lines: list[str] = []
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await stage.run([self._path, "get", "nodes", "-o", "name"], lines.append)
        except TimeoutError:
            raise DemoFailedError(f"'{self._path} get nodes' took more than {_ANSWER_SECONDS} s") from None
        if not {f"node/{name}" for name in stage.rig.nodes.names} <= set(lines):
            raise DemoFailedError(f"'{self._path} get nodes' did not name the nodes: {'; '.join(lines)}")

    async def _run(self, stage: Stage, arguments: list[str], say: Say) -> None:
        say(f"$ kubectl {' '.join(arguments)}")
        await stage.run([self._path, *arguments], say)


class KubectlSafe:
    """kubectl-safe, in the Python that runs this."""

    name = "kubectl safe"

    async def drain(self, stage: Stage, node: str, say: Say) -> None:
        """Drain a node."""
        await self._run(stage, ["drain", node], say)

    async def restart(self, stage: Stage, say: Say) -> None:
        """Restart all applications."""
        await self._run(stage, ["rollout", "restart", *stage.workloads, "-n", NAMESPACE], say)

    async def _run(self, stage: Stage, arguments: list[str], say: Say) -> None:
        whole = [*arguments, "--settle", f"{SETTLE_SECONDS:g}s"]
        say(f"$ kubectl safe {' '.join(whole)}")
        package = str(Path(kubectl_safe.__file__).parent.parent)
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        await stage.run([sys.executable, "-m", "kubectl_safe", *whole], say, PYTHONPATH=path)


async def plain_tool(stage: Stage, say: Say) -> Tool:
    """Return the kubectl on the PATH, or, where there is none that works here, what does the same."""
    path = shutil.which("kubectl")
    if path is None:
        say("There is no kubectl on the PATH: what it does is done in Python.")
        return Imitation()
    kubectl = Kubectl(path)
    try:
        await kubectl.knows(stage)
    except DemoFailedError as error:
        say(f"What kubectl does is done in Python, because {error}.")
        return Imitation()
    return kubectl
