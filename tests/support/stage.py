"""A rig with applications and traffic, and the commands that are tried on it, for tests that are not coroutines."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import SKEW_SECONDS, PodHistory
from kubectl_safe.sandbox.kept import KeptConnections
from kubectl_safe.sandbox.rig import Rig
from kubectl_safe.sandbox.traffic import Loss, Traffic, TrafficReport, Way
from tests.support.audit import Write, writes_by
from tests.support.background import Background, in_background
from tests.support.loop import LoopThread, eventually

USER = "kubectl-safe"
"""Who runs the commands under test, so that the audit log tells their writes from everybody else's."""

OTHER_ADMIN = "other-admin"
"""A second one who runs commands, with all rights too."""

RESTRICTED = "restricted"
"""One without any right, but those that a test binds to the user of this name."""

USERS = {USER: ["system:masters"], OTHER_ADMIN: ["system:masters"], RESTRICTED: []}

NAMESPACE = "shop"
COMMAND_SECONDS = 240


def web(**changes: Any) -> Application:
    """Return an application behind the load balancer, with gates."""
    return _application(name="web", replicas=6, is_load_balanced=True, **changes)


def api(**changes: Any) -> Application:
    """Return an application that only has a Service."""
    return _application(name="api", replicas=4, **changes)


def _application(**values: Any) -> Application:
    return Application(**{"namespace": NAMESPACE, "deregistration_delay": 10.0, **values})


@dataclass(kw_only=True)
class Counted:
    """Traffic that has been, or still is: its account, and when it began."""

    began: float
    ended: float = 0.0
    report: TrafficReport | None = None

    @property
    def lost(self) -> int:
        """How many requests were lost."""
        assert self.report is not None
        return self.report.lost

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The requests that were lost."""
        assert self.report is not None
        return self.report.losses

    @property
    def total(self) -> int:
        """How many requests there were."""
        assert self.report is not None
        return self.report.total

    def __str__(self) -> str:
        assert self.report is not None
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.report.lost_by_reason.items()))
        lost = f"{self.lost} lost ({reasons})" if self.lost else "0 lost"
        return f"{self.total} requests, {lost}"


@dataclass(kw_only=True)
class Stage:
    """A rig and what a test does with it."""

    loop: LoopThread
    rig: Rig
    applications: list[Application] = field(default_factory=list)

    def deploy(self, *applications: Application, **options: Any) -> None:
        """Deploy applications, and wait until all their pods are in service."""
        for application in applications:
            self.loop.call(self.rig.deploy(application, **options))
            self.applications.append(application)
        self.await_full_strength()

    def await_full_strength(self) -> None:
        """Wait until all replicas of all applications are in service."""
        for application in self.applications:
            self.loop.call(self.rig.ready(application.namespace, application.name, within=COMMAND_SECONDS))

    @contextmanager
    def traffic(self, *, rate: float = 200.0, ways: Collection[str] = ()) -> Iterator[Counted]:
        """Send requests over the named ways in, or over every one; at the end all are answered or lost."""
        chosen = [way for way in self.ways() if not ways or way.name in ways]
        counted = Counted(began=time.time())
        with self.loop.entered(Traffic(chosen, rate=rate)) as running:
            yield counted
            self.loop.call(running.stop())
            counted.report = running.report()
            counted.ended = time.time()

    @contextmanager
    def kept_connections(self) -> Iterator[KeptConnections]:
        """Keep connections open to single pods through a Service, which no tool can move."""
        name = self.applications[-1].name
        way = self.rig.deployed[NAMESPACE, name].through_service
        with self.loop.entered(KeptConnections(way)) as kept:
            yield kept

    def ways(self) -> list[Way]:
        """Return every way in to every application."""
        return [way for deployed in self.rig.deployed.values() for way in deployed.ways]

    def kubectl(self, *arguments: str) -> str:
        """Run the real kubectl as an administrator, and return what it printed."""
        environment = self.rig.environment()
        return _run([str(self.rig.control_plane.binaries / "kubectl"), *arguments], environment, check=True).stdout

    def safe(
        self, *arguments: str, check: bool = True, program: Path | None = None, user: str = USER
    ) -> "subprocess.CompletedProcess[str]":
        """Run `kubectl safe`, or another program in its place, to its end."""
        return _run(self.safe_command(arguments, program), self.environment(user), check=check)

    def safe_in_background(self, *arguments: str, user: str = USER) -> AbstractContextManager[Background]:
        """Start `kubectl safe`; it is killed at the end where it still runs."""
        return in_background(self.safe_command(arguments), self.environment(user))

    def environment(self, user: str = USER) -> dict[str, str]:
        """Return the environment of a user's commands under test: kubectl and the plugin are on the PATH."""
        binaries = self.rig.control_plane.binaries
        scripts = Path(sys.executable).parent
        inherited = self.rig.environment()
        # Whoever runs the tests, or several workers of them, may tell a width; these commands are read by a program.
        inherited.pop("COLUMNS", None)
        return inherited | {
            "KUBECONFIG": str(self.rig.control_plane.kubeconfig_for(user)),
            "PATH": os.pathsep.join([str(scripts), str(binaries), os.environ["PATH"]]),
        }

    def writes(self, user: str = USER) -> list[Write]:
        """Return what a user's commands have asked to write, dry runs and refusals among it."""
        return writes_by(user, self.rig.control_plane.audit_log)

    def evictions(self, user: str = USER) -> list[Write]:
        """Return a user's evictions that were accepted."""
        return [w for w in self.writes(user) if w.resource == "pods/eviction" and not w.is_dry_run and w.status < 300]

    def pods(self, application: Application) -> list[PodHistory]:
        """Return all pods that an application ever had."""
        return self.rig.capacity.of(application.namespace, application.labels)

    def lowest(self, application: Application, counted: Counted) -> int:
        """Return the rig's own count of the fewest pods in service while traffic ran."""
        its, of = application, self.rig.capacity
        return of.lowest(its.namespace, its.labels, counted.began, counted.ended, shortest=SKEW_SECONDS)

    def wait_until(self, is_so: Callable[[], bool], *, what: str, seconds: float = 90) -> None:
        """Wait for something that the rig sees."""
        self.loop.call(eventually(is_so, seconds=seconds, what=what), seconds=seconds + 5)

    def safe_command(self, arguments: Sequence[str], program: Path | None = None) -> list[str]:
        """Return the command line of `kubectl safe`, or of another program in its place.

        The embedded control plane needs no binaries: without a kubectl beside it the plugin is run by itself.
        """
        if program is not None:
            return [sys.executable, str(program), *arguments]
        kubectl = self.rig.control_plane.binaries / "kubectl"
        ours = [str(kubectl), "safe"] if kubectl.exists() else [sys.executable, "-m", "kubectl_safe"]
        return [*ours, *arguments]


def _run(command: Sequence[str], environment: dict[str, str], *, check: bool) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, env=environment, text=True, capture_output=True, timeout=COMMAND_SECONDS, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
