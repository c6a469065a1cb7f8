"""The nodes of the sandbox: one agent plays the kubelet of each, on one shared watch of pods.

It must not decide where a pod runs: that is the scheduler's, the pods that it sees are bound.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.pod_fault import FaultOf, no_fault
from kubectl_safe.sandbox.pod_worker import PodRecord, PodWorker

_CAPACITY = {"pods": "110", "cpu": "16", "memory": "64Gi"}
_FIRST_HOST, _LAST_HOST = 2, 254
_ALREADY_EXISTS = 409


class Nodes:
    """Nodes by name, and the pods that run on them.

    `fault` is asked once for each pod, as its node begins with it: pods that are there already are spared by a change.

    Args:
        api: a client with the rights of an admin; the caller opens and closes it.
        network: where the pods' servers can be reached.
        names: the names of the nodes; the n-th (from 0) has pods at 10.244.n.*.
        capacity: what each node offers, instead of 110 pods, 16 CPUs and 64Gi.
        labels: labels beyond the usual ones, by node.
        renews: every how many seconds each node renews its Lease; 0 where nobody looks at these.
    """

    def __init__(
        self,
        api: Api,
        network: PodNetwork,
        names: Sequence[str],
        *,
        capacity: Mapping[str, str] | None = None,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        renews: float = 0.0,
    ) -> None:
        self.names = tuple(names)
        self.journal: dict[str, PodRecord] = {}
        self.fault: FaultOf = no_fault
        self._api = api
        self._network = network
        self._capacity = {**_CAPACITY, **(capacity or {})}
        self._labels = labels or {}
        self._renews = renews
        self._workers: dict[str, PodWorker] = {}
        self._last_host = dict.fromkeys(names, _FIRST_HOST - 1)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._dead: set[str] = set()

    async def run(self) -> None:
        """Create the nodes and run their pods, until it is cancelled."""
        async with asyncio.TaskGroup() as workers:
            for name in self.names:
                await self._join(name)
            if self._renews:
                workers.create_task(self._renew())
            # Pods that are not bound are none of a node's business.
            async for event in self._api.watch("/api/v1/pods", fieldSelector="spec.nodeName!="):
                if event.type != "SYNCED" and event.object["spec"]["nodeName"] in self._last_host:
                    self._follow(event.type, event.object, workers)

    def instance(self, name: str) -> str:
        """Return the id of the EC2 instance that a node is."""
        return f"i-{self.names.index(name) + 1:017x}"

    def die(self, name: str) -> None:
        """Have a node do nothing from now on: its pods answer nobody, and nothing is told of them any more."""
        self._dead.add(name)
        for uid, running in self._running.items():
            if self.journal[uid].node == name:
                running.cancel()

    def _follow(self, change: str, pod: dict[str, Any], workers: asyncio.TaskGroup) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if change == "DELETED":
            if worker is not None:
                worker.vanish()
        elif worker is not None:
            worker.observe(pod)
        elif (
            uid not in self.journal and pod["spec"]["nodeName"] not in self._dead
        ):  # else its last changes come after its end
            node = pod["spec"]["nodeName"]
            record = PodRecord(
                uid=uid,
                namespace=pod["metadata"]["namespace"],
                name=pod["metadata"]["name"],
                node=node,
                ip=self._host_ip(node) if pod["spec"].get("hostNetwork") else self._new_ip(node),
            )
            self.journal[uid] = record
            self._workers[uid] = PodWorker(
                self._api, self._network, pod, record=record, host_ip=self._host_ip(node), fault=self.fault(pod)
            )
            self._running[uid] = workers.create_task(self._run(uid, self._workers[uid]))

    async def _run(self, uid: str, worker: PodWorker) -> None:
        try:
            await worker.run()
        finally:
            del self._workers[uid], self._running[uid]

    def _new_ip(self, node: str) -> str:
        """Return an IP that no pod has, and that none had for as long as the node's range allows."""
        used = {worker.record.ip for worker in self._workers.values()}
        for _ in range(_FIRST_HOST, _LAST_HOST + 1):
            last = self._last_host[node]
            self._last_host[node] = last + 1 if last < _LAST_HOST else _FIRST_HOST
            ip = f"10.244.{self.names.index(node)}.{self._last_host[node]}"
            if ip not in used:
                return ip
        raise RuntimeError(f"node {node} has no free pod IP: it runs {len(used)} pods")

    def _host_ip(self, node: str) -> str:
        return f"192.0.2.{10 + self.names.index(node)}"

    async def _renew(self) -> None:
        """Renew the Leases of the nodes that live, as the kubelet does."""
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        for name in self.names:
            spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _micro_stamp()}
            await self._api.create(path, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec})
        while True:
            await asyncio.sleep(self._renews)
            for name in self.names:
                if name not in self._dead:
                    await self._api.patch(f"{path}/{name}", {"spec": {"renewTime": _micro_stamp()}})

    async def _join(self, name: str) -> None:
        node = self._node(name)
        try:
            await self._api.create("/api/v1/nodes", node)
        except ApiError as error:
            if error.status != _ALREADY_EXISTS:
                raise
            await self._api.patch(f"/api/v1/nodes/{name}/status", {"status": node["status"]})

    def _node(self, name: str) -> dict[str, Any]:
        index = self.names.index(name)
        now = moment.stamp()
        healthy = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "topology.kubernetes.io/region": "us-east-1",
                    "topology.kubernetes.io/zone": f"us-east-1{'abc'[index % 3]}",
                    **self._labels.get(name, {}),
                },
            },
            "spec": {
                "podCIDR": f"10.244.{index}.0/24",
                "podCIDRs": [f"10.244.{index}.0/24", f"fd00:10:244:{index}::/64"],
                "providerID": f"aws:///us-east-1{'abc'[index % 3]}/{self.instance(name)}",
            },
            "status": {
                "capacity": self._capacity,
                "allocatable": self._capacity,
                "addresses": [
                    {"type": "InternalIP", "address": self._host_ip(name)},
                    {"type": "Hostname", "address": name},
                ],
                "conditions": [
                    {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", **healthy},
                    {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure", **healthy},
                    {"type": "PIDPressure", "status": "False", "reason": "KubeletHasSufficientPID", **healthy},
                    {"type": "Ready", "status": "True", "reason": "KubeletReady", **healthy},
                ],
                "nodeInfo": dict.fromkeys(
                    (
                        "machineID",
                        "systemUUID",
                        "bootID",
                        "kernelVersion",
                        "osImage",
                        "containerRuntimeVersion",
                        "kubeletVersion",
                        "kubeProxyVersion",
                        "operatingSystem",
                        "architecture",
                    ),
                    "sandbox",
                ),
            },
        }


def _micro_stamp() -> str:
    """Return this instant as a `MicroTime`."""
    return f"{moment.stamp().removesuffix('Z')}.000000Z"
