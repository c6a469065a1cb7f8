"""A cluster that runs for somebody to try things on, with traffic, and how to get at it from another terminal."""

import asyncio
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from kubectl_safe.sandbox.demo.picture import words
from kubectl_safe.sandbox.demo.screen import Screen
from kubectl_safe.sandbox.demo.settings import SETTLE_SECONDS, Settings
from kubectl_safe.sandbox.demo.stage import NAMESPACE, Stage
from kubectl_safe.sandbox.demo.trial import counts
from kubectl_safe.sandbox.traffic import Traffic

_TURN_SECONDS = 1200.0
_REDRAW_SECONDS = 0.5
_LINE_SECONDS = 10.0
_EXPORTED = ("KUBECONFIG", "KUBECACHEDIR", "KUBERC", "NO_PROXY")
_IN_THE_WAY = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""What would beat the sandbox's credentials where the other terminal has it."""


class _Counter:
    """The account over all turns of the traffic, none of which may last for ever."""

    def __init__(self) -> None:
        self.began = time.time()
        self._traffic: Traffic | None = None
        self._total = 0
        self._lost: Counter[str] = Counter()

    def follow(self, traffic: Traffic) -> None:
        """Go on with the next turn; the one before is over."""
        if self._traffic is not None:
            report = self._traffic.report()
            self._total += report.total
            self._lost.update(report.lost_by_reason)
        self._traffic = traffic

    def __str__(self) -> str:
        assert self._traffic is not None
        report = self._traffic.report()
        lost = self._lost + Counter(report.lost_by_reason)
        recent = sum(time.time() - loss.moment < _LINE_SECONDS for loss in report.losses)
        return f"{self._total + report.total} requests, {words(lost)}, {recent} in the last {_LINE_SECONDS:g}s"


async def keep(stage: Stage, settings: Settings, screen: Screen, clients: AsyncExitStack) -> None:
    """Say how to get at a cluster, and show what its traffic meets, until this is cancelled.

    Args:
        stage: what is kept; all its pods are in service.
        settings: for the load.
        screen: who looks on.
        clients: where the traffic ends, once the cluster has.
    """
    for line in instructions(stage):
        screen.say(line)
    counter = _Counter()
    try:
        while True:
            traffic = Traffic(stage.ways(), rate=settings.rate, seed=settings.seed)
            await clients.enter_async_context(traffic)
            counter.follow(traffic)
            await _show(counter, stage, settings, screen)
            await traffic.stop()
    finally:
        if screen.is_live:
            screen.draw([])
        screen.say(str(counter))


async def _show(counter: _Counter, stage: Stage, settings: Settings, screen: Screen) -> None:
    ends = time.time() + _TURN_SECONDS
    while time.time() < ends:
        told = f"{time.time() - counter.began:.0f}s: {counter}"
        pods = f"in service: {counts(stage.in_service(), settings.pods)}"
        if screen.is_live:
            screen.draw([told, pods])
        else:
            screen.say(f"{told}; {pods}")
        stage.rig.check()
        await asyncio.sleep(_REDRAW_SECONDS if screen.is_live else _LINE_SECONDS)


def instructions(stage: Stage) -> list[str]:
    """Return what to paste in another terminal, and what to try there."""
    settle, node = f"--settle {SETTLE_SECONDS:g}s", stage.fullest_node()
    other = next(name for name in stage.rig.nodes.names if name != node)
    has_kubectl = shutil.which("kubectl") is not None
    safe = "kubectl safe" if has_kubectl else "kubectl-safe"
    tries = [
        f"{safe} drain {node} {settle}",
        f"{safe} uncordon {node}",
        f"{safe} rollout restart {' '.join(stage.workloads)} -n {NAMESPACE} {settle}",
    ]
    if has_kubectl:
        tries = [f"kubectl get pods -n {NAMESPACE} -o wide -w", *tries, f"kubectl drain {other}"]
    return [
        "A cluster runs, with traffic to all its pods. To get at it, paste this in another terminal:",
        "",
        *exports(stage.environment),
        "",
        "and try:",
        "",
        *tries,
        "",
        "Ctrl-C here ends it all.",
        "",
    ]


def exports(environment: Mapping[str, str]) -> list[str]:
    """Return the lines of shell that make a terminal see a cluster, and find kubectl-safe."""
    names = sorted(name for name in environment if name in _EXPORTED or name.startswith("AWS_"))
    lines = [f"export {name}={shlex.quote(environment[name])}" for name in names]
    ours, found = Path(sys.executable).with_name("kubectl-safe"), shutil.which("kubectl-safe")
    # A package manager's link on the PATH is as good.
    if ours.exists() and not (found and ours.samefile(found)):
        lines.append(f'export PATH={shlex.quote(str(ours.parent))}:"$PATH"')
    return [f"unset {' '.join(_IN_THE_WAY)}", *lines]
