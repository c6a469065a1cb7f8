"""Pods on a control plane with nodes: builders of objects, and questions about them."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from kubectl_safe.sandbox.pod_worker import PodRecord
from tests.support.loop import eventually

PODS = "/api/v1/namespaces/default/pods"
PORT = 8080


def a_pod(
    name: str,
    *,
    annotations: dict[str, str] | None = None,
    prestop_seconds: int | None = None,
    probe: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return a pod that starts at once, with one container that listens on `PORT`."""
    container: dict[str, Any] = {"name": "app", "image": "app", "ports": [{"containerPort": PORT}]}
    if prestop_seconds is not None:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": prestop_seconds}}}
    if probe is not None:
        container["readinessProbe"] = probe
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app": name},
            "annotations": {"sandbox.kubectl-safe/start-delay": "0s", **(annotations or {})},
        },
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 30, **spec},
    }


def a_deployment(name: str, *, replicas: int) -> dict[str, Any]:
    """Return a Deployment of pods as `a_pod` makes them."""
    template = a_pod(name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {key: template["metadata"][key] for key in ("labels", "annotations")},
                "spec": template["spec"],
            },
        },
    }


def condition(pod: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a condition of a pod, or nothing."""
    return next((c for c in pod.get("status", {}).get("conditions", []) if c["type"] == kind), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A control plane with nodes, and what a test asks of its pods."""

    api: Api
    network: PodNetwork
    nodes: Nodes

    async def create(self, pod: dict[str, Any]) -> PodRecord:
        """Create a pod, and return its journal once its server has started."""
        created = await self.api.create(PODS, pod)
        uid = created["metadata"]["uid"]
        await eventually(lambda: uid in self.nodes.journal, what=f"the binding of {pod['metadata']['name']}")
        record = self.nodes.journal[uid]
        await eventually(lambda: record.started is not None, what=f"the start of {record.name}")
        return record

    async def pod(self, name: str) -> dict[str, Any]:
        """Return the pod as the API server has it."""
        return await self.api.get(f"{PODS}/{name}")

    async def exists(self, name: str) -> bool:
        """Tell whether the pod's object is there."""
        try:
            await self.pod(name)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def await_ready(self, name: str, status: str = "True") -> dict[str, Any]:
        """Wait for the Ready condition of a pod, and return it."""

        async def is_so() -> bool:
            return condition(await self.pod(name), "Ready").get("status") == status

        await eventually(is_so, what=f"Ready={status} of {name}")
        return condition(await self.pod(name), "Ready")

    async def get(self, session: aiohttp.ClientSession, record: PodRecord, path: str) -> aiohttp.ClientResponse:
        """Send a request to a pod by its IP; the answer's body is the caller's to read."""
        address = self.network.address(record.ip, PORT)
        if address is None:
            raise ConnectionRefusedError(f"nothing listens at {record.ip}:{PORT}")
        return await session.get(f"http://{address[0]}:{address[1]}{path}")

    async def delete(self, name: str, *, grace_seconds: int | None = None) -> None:
        """Delete a pod, and return at once."""
        options = None if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        await self.api.delete(f"{PODS}/{name}", options)

    async def await_gone(self, record: PodRecord) -> None:
        """Wait until the node has removed the pod's object."""
        await eventually(lambda: record.gone is not None, what=f"the end of {record.name}")
        assert not await self.exists(record.name)
