"""How long a restart and a drain take, over the critical path and over kubectl's own.

The critical path is what no tool that hands over in these steps can undercut: batches x (start + health), then the
larger of deregistration delay and settle, then the stop. Start + health is measured on the replacements of the run
itself, from a pod's creation to its target's health; the stop from SIGTERM to the end of the process.

    python -m tests.benchmarks.handoff [--runs 3] [--start-delay 3]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from tabulate import tabulate

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.elbv2 import HEALTHY
from kubectl_safe.sandbox.rig import Rig
from tests.controlplane.build import ensure_binaries
from tests.support.loop import LoopThread
from tests.support.stage import NAMESPACE, USERS, Stage, web

SETTLE_SECONDS = 6.0
NODE = "node-a"


def main() -> None:
    """Measure, and print a table."""
    arguments = _arguments()
    rows = []
    for _ in range(arguments.runs):
        application = web(start_delay=arguments.start_delay)
        rows.append(_compare("restart", application, _restart, _kubectl_restart, batches=3))
        rows.append(_compare("drain", application, _drain, _kubectl_drain, batches=1))
    headers = ["", "safe, s", "critical path, s", "safe/critical path", "kubectl, s", "safe/kubectl"]
    print(tabulate(rows, headers=headers, floatfmt=".2f", tablefmt="plain"))  # noqa: T201 - its result
    for what in ("restart", "drain"):
        for column, name in ((3, "critical path"), (5, "kubectl")):
            ratio = median(float(row[column]) for row in rows if row[0] == what)
            print(f"{what}: {ratio:.2f}x of {name} (median of {arguments.runs})")  # noqa: T201 - its result


def _compare(
    what: str,
    application: Application,
    safe: Callable[[Stage], float],
    kubectl: Callable[[Stage], float],
    *,
    batches: int,
) -> list[str | float]:
    with _stage(application) as stage:
        took = safe(stage)
        shortest = _critical_path(stage, application, batches=batches)
    with _stage(application) as stage:
        theirs = kubectl(stage)
    return [what, took, shortest, took / shortest, theirs, took / theirs]


@contextmanager
def _stage(application: Application) -> Iterator[Stage]:
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(ensure_binaries(), users=USERS)) as control_plane,
        loop.entered(Rig(control_plane)) as rig,
    ):
        stage = Stage(loop=loop, rig=rig)
        stage.deploy(application)
        # The polls that the deployment set going would find a replacement sooner than in a cluster at rest.
        stage.wait_until(lambda: rig.controller.is_idle, what="the controller's rest")
        # The same load in each run: kubectl's losses are counted elsewhere.
        with stage.traffic(rate=100):
            yield stage


def _restart(stage: Stage) -> float:
    began = time.time()
    stage.safe("rollout", "restart", "deployment/web", "-n", NAMESPACE, "--settle", f"{SETTLE_SECONDS:g}s")
    return time.time() - began


def _drain(stage: Stage) -> float:
    began = time.time()
    stage.safe("drain", NODE, "--settle", f"{SETTLE_SECONDS:g}s")
    return time.time() - began


def _kubectl_restart(stage: Stage) -> float:
    began = time.time()
    stage.kubectl("rollout", "restart", "deployment/web", "-n", NAMESPACE)
    stage.kubectl("rollout", "status", "deployment/web", "-n", NAMESPACE)
    # `rollout status` ends while old pods still stop.
    old = [pod for pod in stage.pods(stage.applications[0]) if pod.first_seen < began]
    stage.wait_until(lambda: all(pod.gone for pod in old), what="the end of the old pods")
    return time.time() - began


def _kubectl_drain(stage: Stage) -> float:
    """Return the time until full strength: the drain itself ends long before its replacements are in service."""
    application, began = stage.applications[0], time.time()
    stage.kubectl("drain", NODE)
    stage.wait_until(
        lambda: stage.rig.capacity.now(NAMESPACE, application.labels) >= application.replicas, what="full strength"
    )
    return time.time() - began


def _critical_path(stage: Stage, application: Application, *, batches: int) -> float:
    records = stage.rig.nodes.journal.values()
    moved = [record for record in records if record.sigterm and record.exited]
    withdrawn = min(pod.first_seen for pod in stage.pods(application) if pod.uid in _replacements(stage, application))
    healthy = {t.target.id: t.time for t in stage.rig.elbv2.transitions if t.health == HEALTHY and t.time > withdrawn}
    starts = [
        healthy[pod.ip] - pod.first_seen
        for pod in stage.pods(application)
        if pod.uid in _replacements(stage, application)
    ]
    stop = median((record.exited or 0.0) - (record.sigterm or 0.0) for record in moved)
    return batches * median(starts) + max(application.deregistration_delay, SETTLE_SECONDS) + stop


def _replacements(stage: Stage, application: Application) -> set[str]:
    return {pod.uid for pod in stage.pods(application)[application.replicas :]}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--start-delay", type=float, default=3.0, help="seconds from a pod's binding to its server's start"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
