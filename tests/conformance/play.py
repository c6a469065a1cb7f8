"""One scenario's own part of a rig: a namespace, two nodes, a user or two, and what its runs ended with."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.pod_fault import PodFault
from tests.conformance.chains import Chains
from tests.support.background import Background, in_background
from tests.support.loop import eventually
from tests.support.stage import Stage

Json = dict[str, Any]

SETTLE_SECONDS = 1.0
SECONDS = 120.0
POOL = "pool"


def users_of(name: str) -> tuple[str, str]:
    """Return the users who run commands in a scenario: the audit log tells their writes from everybody else's."""
    return name, f"{name}-too"


@dataclass(kw_only=True)
class Play:
    """A scenario under way: its applications run on its own nodes only, so that any number can be played at once."""

    stage: Stage
    name: str
    chains: Chains = field(init=False)
    applications: list[Application] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    """The exit codes of its runs, in the order of their ends."""
    said: list[str] = field(default_factory=list)
    faults: dict[str, PodFault] = field(default_factory=dict)
    """What is wrong with pods that are created from now on, by application."""

    def __post_init__(self) -> None:
        self.chains = Chains(namespace=self.name, rig=self.stage.rig)

    @property
    def node(self) -> str:
        """The node that is drained."""
        return f"{self.name}-a"

    @property
    def other(self) -> str:
        """The node that takes what is drained."""
        return f"{self.name}-b"

    def call(self, method: str, path: str, *arguments: Any, **query: str) -> Any:
        """Call the API as the cluster's admin."""
        client = self.stage.rig.api
        return self.stage.loop.call(getattr(client, method)(path, *arguments, **query))

    def deploy(self, *names: str, spec: Json | None = None, **changes: Any) -> None:
        """Deploy applications on the node that is drained, and wait until they are in service."""
        values = {"replicas": 2, "start_delay": 0.1, "deregistration_delay": 1.0, "health_interval": 0.5}
        pinned = {"grace_period": 5, "node_selector": {POOL: self.name}}
        new = [Application(namespace=self.name, name=name, **{**values, **pinned, **changes}) for name in names]
        with self.only_here():
            for application in new:
                self.stage.loop.call(self.stage.rig.deploy(application))
                if spec:
                    self.call("patch", self.deployment(application.name), {"spec": spec})
            self.applications += new
            self.await_strength()

    @contextmanager
    def only_here(self) -> Iterator[None]:
        """Have pods come to the node that is drained only."""
        self.close(self.other)
        yield
        self.open(self.other)

    def close(self, node: str) -> None:
        """Have no more pods come to a node."""
        self.call("patch", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})

    def open(self, node: str) -> None:
        """Have pods come to a node again."""
        self.call("patch", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}})

    def on_one_node(self) -> Json:
        """Return what keeps an application on one node: which of two a pod comes to is the scheduler's lot."""
        return {"node_selector": {"kubernetes.io/hostname": self.node}}

    def await_strength(self, *names: str) -> None:
        """Wait until all replicas are in service."""
        for its in self.applications:
            if its.name in names or not names:
                self.stage.loop.call(self.stage.rig.ready(self.name, its.name, within=SECONDS), seconds=SECONDS)

    def guard(self, name: str, **allowed: int) -> None:
        """Put an application under a budget, and wait until that is counted."""
        [application] = [its for its in self.applications if its.name == name]
        path = f"/apis/policy/v1/namespaces/{self.name}/poddisruptionbudgets"
        self.call("create", path, applications.pod_disruption_budget(application, **allowed))

        async def is_counted() -> bool:
            found = await self.stage.rig.api.get(f"{path}/{name}")
            return bool(found.get("status", {}).get("currentHealthy") == application.replicas)

        self.stage.loop.call(eventually(is_counted, seconds=SECONDS, what="the budget's first count"))

    def deployment(self, name: str) -> str:
        """Return the path of a Deployment."""
        return f"/apis/apps/v1/namespaces/{self.name}/deployments/{name}"

    def restart(self, *names: str) -> tuple[str, ...]:
        """Return the command that restarts applications."""
        named = [f"deployment/{name}" for name in names]
        return ("rollout", "restart", *named, "-n", self.name, "--settle", f"{SETTLE_SECONDS:g}s")

    def drain(self) -> tuple[str, ...]:
        """Return the command that drains the node."""
        return ("drain", self.node, "--settle", f"{SETTLE_SECONDS:g}s")

    def run(self, *arguments: str, user: str = "") -> None:
        """Run a command to its end."""
        with self.running(*arguments, user=user):
            pass

    @contextmanager
    def running(self, *arguments: str, user: str = "") -> Iterator[Background]:
        """Start a command, and wait for its end."""
        self.chains.begin()
        command = [sys.executable, "-m", "kubectl_safe", *arguments]
        with in_background(command, self.stage.environment(user or self.name)) as process:
            yield process
            self.exits.append(process.wait(SECONDS))
        self.said.append(f"$ {' '.join(arguments)}\n{process.stdout}{process.stderr}")

    def when(self, is_so: Callable[[], object], what: str) -> None:
        """Wait for what the rig sees."""
        self.stage.loop.call(eventually(lambda: bool(is_so()), seconds=SECONDS, what=what), seconds=SECONDS + 5)

    def signal_when(self, is_so: Callable[[], object], process: Background, number: signal.Signals) -> None:
        """Send a signal in the very turn of the loop in which something is seen."""

        async def send() -> None:
            await eventually(lambda: bool(is_so()), seconds=SECONDS, every=0.002, what="the moment of the signal")
            os.kill(process.pid, number)

        self.stage.loop.call(send(), seconds=SECONDS + 5)

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Look until something is so; where it takes requests to see it."""
        ends, pause = time.monotonic() + SECONDS, threading.Event()
        while not look():
            if time.monotonic() > ends:
                raise AssertionError(f"{what} did not come within {SECONDS:.0f} s")
            pause.wait(0.1)
