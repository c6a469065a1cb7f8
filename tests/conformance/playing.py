"""Plays all scenarios on one control plane at once, and keeps what came of them for whoever asks."""

import fcntl
import json
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.pod_fault import PodFault
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.conformance.account import Account, account_of
from tests.conformance.play import POOL, Play, users_of
from tests.conformance.scenarios import SCENARIOS
from tests.support.loop import LoopThread
from tests.support.stage import Stage

AT_ONCE = 8
"""They wait most of the time, and compute when a command starts."""

GATE_SECONDS = 120.0
"""How long a gate takes without a nudge: longer than any scenario, so that none is spared one by its luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of one scenario."""

    account: Account
    said: str
    failure: str = ""
    """Why it was not played to its end."""


def play_all(names: Sequence[str], binaries: Path | None) -> dict[str, Played]:
    """Play scenarios on the real control plane, or on the embedded one where no binaries are given."""
    users = {user: ["system:masters"] for name in names for user in users_of(name)}
    # All nodes, whatever is played: their number is in a node's addresses and in its zone.
    nodes = [f"{name}-{end}" for name in SCENARIOS for end in "ab"]
    control_plane = ControlPlane(binaries, users=users) if binaries else EmbeddedControlPlane(users=users)
    with ExitStack() as stack:
        loop = stack.enter_context(LoopThread())
        stack.enter_context(loop.entered(control_plane))
        rig = stack.enter_context(loop.entered(Rig(control_plane, RigSettings(nodes=nodes, gate_poll=GATE_SECONDS))))
        stage = Stage(loop=loop, rig=rig)
        plays = {name: Play(stage=stage, name=name) for name in names}
        rig.nodes.fault = lambda pod: _fault(plays, pod)
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        together = [its for name, its in plays.items() if not SCENARIOS[name].is_alone]
        alone = [its for name, its in plays.items() if SCENARIOS[name].is_alone]
        done = [*zip(together, pool.map(_play, together), strict=True), *((its, _play(its)) for its in alone)]
        return {its.name: what for its, what in done}


def played(names: Sequence[str], binaries: Path | None, shared: Path) -> dict[str, Played]:
    """Do the same once for all test processes that share a folder: who comes second waits, and reads."""
    file = shared / f"scenarios-{'real' if binaries else 'embedded'}.json"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            done = {name: asdict(its) for name, its in play_all(names, binaries).items()}
            file.write_text(json.dumps(done), encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return {name: Played(**its) for name, its in found.items()}


def _play(it: Play) -> Played:
    try:
        _join(it)
        SCENARIOS[it.name].play(it)
        return Played(account=account_of(it), said="\n".join(it.said))
    except Exception:  # noqa: BLE001 - each scenario has a test of its own to fail
        return Played(account={}, said="\n".join(it.said), failure=traceback.format_exc())


def _join(it: Play) -> None:
    """Wait for the scenario's nodes and mark them as its own."""
    for node in (it.node, it.other):
        it.when(lambda node=node: ("", node) in it.stage.rig.controller.nodes.objects, f"node {node}")  # type: ignore[misc]
        it.call("patch", f"/api/v1/nodes/{node}", {"metadata": {"labels": {POOL: it.name}}})


def _fault(plays: dict[str, Play], pod: dict[str, Any]) -> PodFault | None:
    metadata = pod["metadata"]
    play = plays.get(metadata["namespace"])
    return play.faults.get((metadata.get("labels") or {}).get("app", "")) if play else None
