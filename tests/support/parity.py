"""The real `kubectl drain` and ours on one cluster of odd pods, and what either says in one form."""

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.conformance.plane import Plane
from tests.support import odd_pods
from tests.support.audit import Write, writes_by
from tests.support.odd_pods import NODE, ODD, OLD_SECONDS, Odd
from tests.support.stage import OTHER_ADMIN, USER

TIGHT = "tight"
"""A node with pods of a budget that never lets one go, and of two budgets."""
LINE = re.compile(r"^(evicting|deleting) pod (\S+) \((?:server )?dry run\)$", re.MULTILINE)
REASON = re.compile(r", (?=cannot delete |Blocked\()")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a drain said, whoever it was."""

    code: int
    chosen: frozenset[str]
    warnings: dict[str, frozenset[str]]
    """The pods, by what is told of them."""
    errors: dict[str, frozenset[str]]
    verbs: frozenset[str]
    out: str
    err: str

    @classmethod
    def read(cls, code: int, out: str, err: str) -> "Told":
        """Read both streams."""
        lines = LINE.findall(out)
        return cls(
            code=code,
            chosen=frozenset(pod for _, pod in lines),
            verbs=frozenset(verb for verb, _ in lines),
            warnings=_by_words(
                part for line in err.splitlines() if line.startswith("Warning: ") for part in line[9:].split("; ")
            ),
            errors=_by_words(_reasons(err)),
            out=out,
            err=err,
        )


def _reasons(err: str) -> Iterator[str]:
    for line in err.splitlines():
        if "unable to drain node" in line:
            told = line.partition("due to error: ")[2].removesuffix(", continuing command...")
            yield from REASON.split(told.removeprefix("[").removesuffix("]"))


def _by_words(parts: Iterator[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for part in parts:
        if blocked := re.match(r"(Blocked\(\S+\)): pod (\S+) ", part):
            found.setdefault(blocked[1], set()).add(blocked[2])
        else:
            words, _, pods = part.rpartition(": ")
            found.setdefault(words, set()).update(pods.split(", "))
    return {words: frozenset(pods) for words, pods in found.items()}


@dataclass(kw_only=True)
class Both:
    """The same cluster, drained by either."""

    plane: Plane
    capture: pytest.CaptureFixture[str]

    def by_label(self, *flags: str) -> tuple[Told, Told]:
        """Drain with the real kubectl and with ours, nodes that these flags choose."""
        return self.theirs(*flags, node=""), self.ours(*flags, node="")

    def ours(self, *flags: str, node: str = NODE) -> Told:
        """Drain with `kubectl safe`, in this process: it would take longer to start than to run."""
        self.capture.readouterr()
        code = run(
            ["drain", *([node] if node else []), *flags, "--kubeconfig", str(self._control_plane.kubeconfig_for(USER))]
        )
        told = self.capture.readouterr()
        return Told.read(code, told.out, told.err)

    def theirs(self, *flags: str, node: str = NODE) -> Told:
        """Drain with the real kubectl."""
        kubeconfig = str(self._control_plane.kubeconfig_for(OTHER_ADMIN))
        kubectl = str(self._control_plane.binaries / "kubectl")
        command = [kubectl, "drain", *([node] if node else []), *flags, "--kubeconfig", kubeconfig]
        done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
        return Told.read(done.returncode, done.stdout, done.stderr)

    def writes(self, user: str) -> list[Write]:
        """Return what one of them has asked to write until now, dry runs among it."""
        return writes_by(user, self._control_plane.audit_log)

    def versions(self) -> dict[str, str]:
        """Return the version of every pod and node."""
        lists = [self.plane.call("GET", f"/api/v1/{kind}").body["items"] for kind in ("pods", "nodes", "namespaces")]
        return {its["metadata"]["uid"]: its["metadata"]["resourceVersion"] for its in chain.from_iterable(lists)}

    @property
    def _control_plane(self) -> ControlPlane:
        assert isinstance(self.plane.control_plane, ControlPlane)
        return self.plane.control_plane


def populate(plane: Plane) -> None:
    """Write everything that is odd, and wait until what should have ended long ago is as old as that."""
    for node in (NODE, TIGHT):
        plane.add_node(node, pool=node)
    for namespace in odd_pods.NAMESPACES:
        _create(plane, "/api/v1/namespaces", {"metadata": {"name": namespace}})
    owners = [_create_owner(plane, *owner) for owner in odd_pods.OWNERS]
    owners.append(_create_owner(plane, "apps/v1", "replicasets", "shop", odd_pods.replica_set_of(owners)))
    for pod in ODD:
        _create_pod(plane, pod, odd_pods.manifest(pod, owners))
    _create_budget(plane, "open", "open", allowed=1)
    for name in ("closed", "twice", "twice-more"):
        _create_budget(plane, name, name.partition("-")[0], allowed=0 if name == "closed" else 1)
    for name in ("closed", "twice"):
        pod = Odd(name=f"bare-{name}", labels={"guard": name})
        _create_pod(plane, pod, odd_pods.manifest(pod, owners, node=TIGHT))
    last = max(_deleted_at(plane, pod) for pod in ODD if pod.deleted == "old")
    plane.until(lambda: time.time() - last >= OLD_SECONDS + 2, "a pod that should have ended long ago")


def _create(plane: Plane, path: str, body: Any) -> dict[str, Any]:
    answer = plane.call("POST", path, body)
    assert answer.code == 201, answer
    return answer.body


def _create_owner(plane: Plane, api: str, resource: str, namespace: str, body: Any) -> dict[str, Any]:
    root = "/api/v1" if api == "v1" else f"/apis/{api}"
    return _create(plane, f"{root}/namespaces/{namespace}/{resource}", body)


def _create_pod(plane: Plane, pod: Odd, body: Any) -> None:
    path = f"/api/v1/namespaces/{pod.namespace}/pods"
    _create(plane, path, body)
    merge = "application/merge-patch+json"
    answer = plane.call("PATCH", f"{path}/{pod.name}/status", odd_pods.status(pod), kind=merge)
    assert answer.code == 200, answer
    if pod.deleted:
        grace = 1 if pod.deleted == "old" else 3600
        answer = plane.call("DELETE", f"{path}/{pod.name}", {"gracePeriodSeconds": grace})
        assert answer.code == 200, answer


def _create_budget(plane: Plane, name: str, guard: str, *, allowed: int) -> None:
    path = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"guard": guard}}}
    _create(plane, path, {"metadata": {"name": name}, "spec": spec})
    counts = {"currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 2, "disruptionsAllowed": allowed}
    status = {"status": {"observedGeneration": 1, **counts}}
    answer = plane.call("PATCH", f"{path}/{name}/status", status, kind="application/merge-patch+json")
    assert answer.code == 200, answer


def _deleted_at(plane: Plane, pod: Odd) -> float:
    raw = plane.call("GET", f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}").body
    return datetime.fromisoformat(raw["metadata"]["deletionTimestamp"]).timestamp()
