"""A namespace on a control plane, and the part of the kubelet that a test plays itself: no time but the plane's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox.network import twin
from tests.conformance.manifests import deployment
from tests.conformance.plane import Answer, Json, Plane, T

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPS = "/apis/apps/v1"
POLICY = "/apis/policy/v1"
DISCOVERY = "/apis/discovery.k8s.io/v1"
PATHS = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
    "configmaps": "/api/v1",
    "resourcequotas": "/api/v1",
    "replicationcontrollers": "/api/v1",
    "deployments": APPS,
    "replicasets": APPS,
    "statefulsets": APPS,
    "daemonsets": APPS,
    "controllerrevisions": APPS,
    "jobs": "/apis/batch/v1",
    "poddisruptionbudgets": POLICY,
    "endpointslices": DISCOVERY,
    "leases": "/apis/coordination.k8s.io/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "targetgroupbindings": "/apis/elbv2.k8s.aws/v1beta1",
}


@dataclass
class Ground:
    """A namespace of the test's own."""

    plane: Plane
    namespace: str
    addresses: int = field(default=10)
    nodes: list[str] = field(default_factory=list)
    """The nodes that were added for it, and go with it."""

    def path(self, plural: str, name: str = "", sub: str = "") -> str:
        parts = [f"{PATHS[plural]}/namespaces/{self.namespace}/{plural}", name, sub]
        return "/".join(part for part in parts if part)

    def call(self, method: str, plural: str, name: str = "", body: Any = None, *, sub: str = "", **how: Any) -> Answer:
        """Send a request about one of the namespace's collections."""
        return self.plane.call(method, self.path(plural, name, sub), body, **how)

    def get(self, plural: str, name: str) -> Json:
        answer = self.call("GET", plural, name)
        assert answer.code == 200, answer
        return answer.body

    def find(self, plural: str, name: str) -> Json | None:
        answer = self.call("GET", plural, name)
        return answer.body if answer.code == 200 else None

    def all(self, plural: str, **query: str) -> list[Json]:
        answer = self.call("GET", plural, **query)
        assert answer.code == 200, answer
        items: list[Json] = answer.body["items"]
        return items

    def create(self, plural: str, body: Json) -> Json:
        answer = self.call("POST", plural, body=body)
        assert answer.code == 201, answer
        return answer.body

    def patch(self, plural: str, name: str, body: Any, *, kind: str = STRATEGIC, sub: str = "", **how: Any) -> Answer:
        return self.call("PATCH", plural, name, body, sub=sub, kind=kind, **how)

    def until(self, look: Callable[[], T | None], what: str) -> T:
        return self.plane.until(look, what)

    def gone(self, plural: str, name: str, uid: str = "") -> None:
        """Wait for an object's end."""
        self.until(
            lambda: (found := self.find(plural, name)) is None or (uid and found["metadata"]["uid"] != uid) or None,
            f"the end of {plural}/{name}",
        )

    def settled(self, plural: str, name: str) -> Json:
        """Wait until a workload's status is of its newest spec, and return it."""
        return self.until(
            lambda: (
                found
                if (found := self.get(plural, name))["metadata"].get("generation", 0)
                == found.get("status", {}).get("observedGeneration", 0)
                else None
            ),
            f"the status of {plural}/{name}",
        )

    def pool(self, count: int, *, pods: int = 1000) -> list[str]:
        """Add nodes of the test's own, labelled `pool` with the namespace's name."""
        names = [f"{self.namespace}-{number}" for number in range(count)]
        for name in names:
            self.plane.add_node(name, pods=pods, pool=self.namespace)
        self.nodes += names
        return names

    def leave(self) -> None:
        """Take the test's own nodes away: what is said of nodes must not depend on the tests before."""
        for name in self.nodes:
            assert self.plane.call("DELETE", f"/api/v1/nodes/{name}").code == 200

    # The kubelet's part.

    def pods(self, selector: str = "", *, count: int | None = None) -> list[Json]:
        """Return pods that are not terminating; where a count is given, once there are as many."""

        def look() -> list[Json] | None:
            query = {"labelSelector": selector} if selector else {}
            found = [p for p in self.all("pods", **query) if "deletionTimestamp" not in p["metadata"]]
            return found if count is None or len(found) == count else None

        return self.until(look, f"{count} pods")

    def bound(self, name: str) -> Json:
        """Wait until a pod is bound to a node."""
        return self.until(
            lambda: found if (found := self.get("pods", name))["spec"].get("nodeName") else None, f"a node for {name}"
        )

    def run(self, pod: Json, *, ready: bool = True, since: str = "2026-01-02T12:00:00Z") -> Json:
        """Have a bound pod run, and be ready or not."""
        name = pod["metadata"]["name"]
        self.bound(name)
        self.addresses += 1
        address = pod.get("status", {}).get("podIP") or f"10.244.0.{self.addresses}"
        state = "True" if ready else "False"
        conditions = [
            {"type": kind, "status": state, "lastTransitionTime": since} for kind in ("ContainersReady", "Ready")
        ]
        ips = [{"ip": address}, {"ip": twin(address)}]
        status = {"phase": "Running", "podIP": address, "podIPs": ips, "conditions": conditions}
        answer = self.patch("pods", name, {"status": status}, sub="status")
        assert answer.code == 200, answer
        return answer.body

    def stop(self, pod: Json) -> None:
        """End a terminating pod, as its node does."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        answer = self.call("DELETE", "pods", pod["metadata"]["name"], options)
        assert answer.code == 200, answer

    def started(self, selector: str, count: int) -> list[Json]:
        """Wait for so many pods and have them all be ready."""
        return [self.run(pod) for pod in self.pods(selector, count=count)]

    def deploy(self, name: str = "web", replicas: int = 2, *, start: bool = True, **spec: Any) -> list[Json]:
        """Create a Deployment, and have its pods be ready."""
        self.create("deployments", deployment(name, replicas, **spec))
        pods = self.pods(f"app={name}", count=replicas)
        return [self.run(pod) for pod in pods] if start else pods

    def protect(self, name: str = "web", **spec: Any) -> Json:
        """Create a budget over an application's pods, and wait until it is counted."""
        selector = {"matchLabels": {"app": name}}
        self.create("poddisruptionbudgets", {"metadata": {"name": name}, "spec": {"selector": selector, **spec}})
        return self.settled("poddisruptionbudgets", name)

    def allowed(self, count: int, name: str = "web") -> Json:
        """Wait until a budget allows so many disruptions."""
        return self.until(
            lambda: (
                found
                if (found := self.get("poddisruptionbudgets", name))["status"].get("disruptionsAllowed") == count
                else None
            ),
            f"an allowance of {count}",
        )

    def evict(self, name: str, options: Json | None = None, **query: str) -> Answer:
        """Ask for an eviction."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": self.namespace},
            "deleteOptions": options or {},
        }
        return self.call("POST", "pods", name, body, sub="eviction", **query)

    def endpoints(self, service: str) -> dict[str, Json]:
        """Return the conditions of a Service's endpoints by pod."""
        return {
            endpoint["targetRef"]["name"]: endpoint["conditions"]
            for listing in self.all("endpointslices", labelSelector=f"kubernetes.io/service-name={service}")
            for endpoint in listing.get("endpoints") or ()
        }
