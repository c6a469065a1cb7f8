"""A whole run of the tool that comes from a seed: sizes, delays, budgets, settings, and the order of all that happens.

`python -m tests.virtual.runs SEED` replays one, and tells what it did.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, cast

from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import SETTLE, Settings
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.restart import Restart, restart
from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.applications import Application
from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.rig import RigSettings
from kubectl_safe.sandbox.traffic import Traffic
from tests.run.world import Heard
from tests.support.virtual import VirtualSession, VirtualStage, a_virtual_stage
from tests.support.virtual_views import Kill, KilledError, VirtualClient

NAMESPACE = "shop"
NODE = "node-a"
OURS = "kubectl-safe/"
LISTING_SECONDS = 0.02
"""The rig learns of a change of a slice from its own watch, a moment after the tool may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a run is like."""

    seed: int
    command: str
    nodes: tuple[str, ...]
    applications: tuple[Application, ...]
    budgets: dict[str, dict[str, int | str]]
    settings: Settings
    rate: float
    """Requests a second, in virtual time; 0 for none."""
    kill: Kill | None
    """When the run is killed, after which the same command is run again."""

    @property
    def settle(self) -> timedelta:
        """How long a pod must be in no slice."""
        return SETTLE if self.settings.settle is None else self.settings.settle


def a_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    random = Random(seed)
    apps = tuple(_application(name, random) for name in ("web", "api")[: random.choice((1, 1, 2))])
    budgets = {app.name: _budget(app, random) for app in apps if random.random() < 0.5}
    settings = Settings(
        settle=random.choice((None, timedelta(seconds=6), timedelta(seconds=20))),
        max_surge=random.choice((None, None, 1, 2, "50%", "100%")),
        max_draining=random.choice((None, None, None, 1, 2)),
        nudge=random.random() < 0.8,
    )
    # The generator stops by itself after half an hour.
    is_long = settings.max_draining is not None and max(app.deregistration_delay for app in apps) > 60
    return Scenario(
        seed=seed,
        command=random.choice(("drain", "restart")),
        nodes=tuple(f"node-{letter}" for letter in "abcd"[: random.choice((2, 3, 4))]),
        applications=apps,
        budgets=budgets,
        settings=settings,
        kill=Kill(at=random.randint(1, 12), is_before=random.random() < 0.5) if random.random() < 0.4 else None,
        rate=0.0 if is_long else random.choice((0.0, 0.0, 0.0, 3.0)),
    )


def _application(name: str, random: Random) -> Application:
    return Application(
        namespace=NAMESPACE,
        name=name,
        replicas=random.randint(1, 7),
        is_load_balanced=random.random() < 0.6,
        deregistration_delay=random.choice((1.0, 10.0, 60.0, 300.0)),
        health_interval=random.choice((5.0, 10.0)),
        start_delay=random.choice((0.1, 1.0, 5.0, 20.0)),
        sigterm=random.choice(("graceful", "abrupt")),
        pre_stop=random.choice((0, 0, 5)),
        grace_period=random.choice((5, 30)),
    )


def _budget(app: Application, random: Random) -> dict[str, int | str]:
    """Return a budget that a replacement in service satisfies."""
    choices: tuple[dict[str, int | str], ...] = (
        {"minAvailable": app.replicas},
        {"minAvailable": max(1, app.replicas - 1)},
        {"minAvailable": "50%"},
        {"maxUnavailable": 1},
        {"maxUnavailable": "25%"},
    )
    return random.choice(choices)


@dataclass(kw_only=True)
class Run:
    """A run of a scenario, with what came of it."""

    scenario: Scenario
    say: Callable[[str], None] = lambda _: None
    seconds: float = 0.0
    """Of virtual time."""
    writes: list[str] = field(default_factory=list)

    def go(self) -> None:
        """Deploy, run the command, and hold what must be held.

        Raises:
            AssertionError: an invariant is broken.
        """
        scenario = self.scenario
        with a_virtual_stage(scenario.seed, RigSettings(nodes=scenario.nodes, seed=scenario.seed)) as stage:
            stage.control_plane.admit_pods_through(_probed_less)
            self._deploy(stage)
            began, loop = stage.loop.wall(), stage.loop
            traffic = self._traffic(stage)
            client = self._run_command(stage)
            self.seconds = loop.wall() - began
            if traffic is not None:
                loop.finish(traffic.stop())
                assert traffic.report().losses == (), f"{traffic.report().lost_by_reason} lost"
            self._tell(client, began)
            self._assert_the_floor_held(stage, began)
            self._assert_evicted_when_out(stage, client)
            self._assert_nothing_left(stage)

    def _deploy(self, stage: VirtualStage) -> None:
        for app in self.scenario.applications:
            stage.loop.finish(stage.rig.deploy(app))
            if budget := self.scenario.budgets.get(app.name):
                stage.loop.finish(
                    stage.rig.api.create(
                        f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
                        applications.pod_disruption_budget(app, **budget),
                    )
                )
        self._await_full_strength(stage)

    def _traffic(self, stage: VirtualStage) -> Traffic | None:
        if not self.scenario.rate:
            return None
        ways = [way for d in stage.rig.deployed.values() for way in (d.through_service,)]
        ways += [d.through_load_balancer for d in stage.rig.deployed.values() if d.balancer is not None]
        traffic = Traffic(ways, rate=self.scenario.rate, seed=self.scenario.seed)
        stage.loop.finish(traffic.__aenter__())
        return traffic

    def _run_command(self, stage: VirtualStage) -> VirtualClient:
        """Run the command, once more where it is killed, and return the client with the writes of both."""
        asked = []
        if self.scenario.kill is not None:
            with contextlib.suppress(KilledError), stage.session(Heard(), kill=self.scenario.kill) as session:
                self._command(session)
            asked = cast("VirtualClient", session.client).asked
        heard = Heard()
        with stage.session(heard) as session:
            self._command(session)
            self._await_full_strength(stage)
        # A restart that was killed after its last write finds nothing to continue: it is another one, and a whole one.
        assert heard.endings, "the run never told its end"
        client = cast("VirtualClient", session.client)
        client.asked[:0] = asked
        return client

    def _command(self, session: VirtualSession) -> None:
        settings = self.scenario.settings
        if self.scenario.command == "drain":
            drain(Drain(nodes=(NODE,), options=Options(), settings=settings), session)
        else:
            names = tuple(app.name for app in self.scenario.applications)
            restart(Restart(namespace=NAMESPACE, names=names, settings=settings), session)

    def _await_full_strength(self, stage: VirtualStage) -> None:
        for app in self.scenario.applications:
            stage.loop.finish(stage.rig.ready(NAMESPACE, app.name, within=600.0))

    def _tell(self, client: VirtualClient, began: float) -> None:
        for at, request, answer in client.writes():
            name = request.path.removeprefix("/api/v1/").removeprefix("namespaces/")
            offset = at - (began - client.loop.wall() + client.loop.time())
            self.writes.append(f"{request.method} {name} {answer.status}")
            self.say(f"{offset:9.3f} {request.method:6} {name} {answer.status}")

    def _assert_the_floor_held(self, stage: VirtualStage, began: float) -> None:
        """I1."""
        for app in self.scenario.applications:
            lowest = stage.rig.capacity.lowest(NAMESPACE, app.labels, began)
            # Every scenario has a surge: the Deployment's own, 25% rounded up, is never 0.
            assert lowest >= app.replicas, f"{app.name} had {lowest} of {app.replicas} in service"

    def _assert_evicted_when_out(self, stage: VirtualStage, client: VirtualClient) -> None:
        """I2 and I4."""
        pods = {(pod.namespace, pod.name): pod for pod in stage.rig.capacity.pods.values()}
        evictions = [
            (at, request.path.split("/")[4], request.path.split("/")[6])
            for at, request, answer in client.writes()
            if request.path.endswith("/eviction") and answer.status < 300
        ]
        twice = [name for name, count in Counter(name for _, _, name in evictions).items() if count > 1]
        assert not twice, f"{twice} were evicted twice"
        for at, namespace, name in evictions:
            self._assert_out(pods[namespace, name], at + stage.loop.wall() - stage.loop.time())

    def _assert_nothing_left(self, stage: VirtualStage) -> None:
        """I6."""
        model = stage.control_plane.model
        for resource in model.resources:
            if resource.plural in ("nodes", "events"):
                continue
            for subject in model.all(resource):
                left = _marks(subject)
                assert not left, f"{resource.plural} {subject['metadata']['name']} still has {left}"

    def _assert_out(self, pod: PodHistory, at: float) -> None:
        settle = self.scenario.settle.total_seconds()
        assert pod.unlisted is not None, f"{pod.name} was evicted while it was listed"
        assert at >= pod.unlisted + settle - LISTING_SECONDS, f"{pod.name} had settled for {at - pod.unlisted:.3f} s"
        [app] = [its for its in self.scenario.applications if its.labels.items() <= pod.labels.items()]
        if app.is_load_balanced:
            assert pod.not_registered is not None, f"{pod.name} was evicted while it was registered"
            assert at >= pod.not_registered


def _marks(subject: dict[str, Any]) -> set[str]:
    metadata = subject["metadata"]
    return {mark for mark in (*metadata.get("labels", {}), *metadata.get("annotations", {})) if mark.startswith(OURS)}


def _probed_less(_namespace: dict[str, Any], _pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Have pods be probed every ten seconds: what each second would cost more than all else, and shows nothing more."""
    return [{"op": "replace", "path": "/spec/containers/0/readinessProbe/periodSeconds", "value": 10}]


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        scenario = a_scenario(int(argument))
        sys.stdout.write(f"{scenario}\n")
        run = Run(scenario=scenario, say=print)
        run.go()
        sys.stdout.write(f"{run.seconds:.0f} s of virtual time\n")
