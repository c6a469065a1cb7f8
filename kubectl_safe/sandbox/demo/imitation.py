"""What kubectl does on a drain and on a restart, for where there is no kubectl.

After `pkg/drain` and `pkg/polymorphichelpers` of kubectl 1.37: the same calls in the same order, with the same waits.
Of what a drain filters there is nothing here: no DaemonSets, no bare pods, no local data.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from kubectl_safe.sandbox.api import ApiError
from kubectl_safe.sandbox.demo.commands import Say
from kubectl_safe.sandbox.demo.stage import NAMESPACE, Stage

_NOT_FOUND, _TOO_MANY = 404, 429
_RETRY_SECONDS = 5.0
_POLL_SECONDS = 1.0
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_PODS = "/api/v1/pods"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"

Object = dict[str, Any]


class Imitation:
    """Does over the API what kubectl does."""

    name = "like kubectl"

    async def drain(self, stage: Stage, node: str, say: Say) -> None:
        """Cordon a node, and evict all its pods at once."""
        say(f"like kubectl drain {node}")
        await stage.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
        say(f"node/{node} cordoned")
        pods = (await stage.api.get(_PODS, fieldSelector=f"spec.nodeName={node}"))["items"]
        async with asyncio.TaskGroup() as evictions:
            for pod in pods:
                evictions.create_task(_evict(stage, pod, say))
        say(f"node/{node} drained")

    async def restart(self, stage: Stage, say: Say) -> None:
        """Write the time into each pod template, and wait for the rollouts one after the other."""
        say(f"like kubectl rollout restart {' '.join(stage.workloads)}")
        for application in stage.applications:
            annotations = {_RESTARTED_AT: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
            await stage.api.patch(f"{_DEPLOYMENTS}/{application.name}", body)
            say(f"deployment.apps/{application.name} restarted")
        for application in stage.applications:
            await _rolled_out(stage, application.name, say)


async def _evict(stage: Stage, pod: Object, say: Say) -> None:
    """Evict a pod, again after 5 s for as long as a budget forbids it, and wait until it is gone."""
    metadata = pod["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    say(f"evicting pod {namespace}/{name}")
    while True:
        try:
            await stage.api.create(f"{path}/eviction", eviction)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return
            if error.status != _TOO_MANY:
                raise
            say(f"error when evicting pod {name} (will retry after 5s): {error.message}")
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            break
    while True:
        if await _uid(stage, path) != metadata["uid"]:
            break
        await asyncio.sleep(_POLL_SECONDS)
    say(f"pod/{name} evicted")


async def _uid(stage: Stage, path: str) -> str:
    """Return the UID of the pod at a path; empty where there is none."""
    try:
        return str((await stage.api.get(path))["metadata"]["uid"])
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return ""
        raise


async def _rolled_out(stage: Stage, name: str, say: Say) -> None:
    """Wait until a rollout is complete, by kubectl's four questions at each change."""
    told = ""
    async with aclosing(stage.api.watch(_DEPLOYMENTS, fieldSelector=f"metadata.name={name}")) as events:
        async for event in events:
            if event.type == "SYNCED":
                continue
            left = _left(event.object)
            if not left:
                break
            if left != told:
                say(f'Waiting for deployment "{name}" rollout to finish: {left}...')
            told = left
    say(f'deployment "{name}" successfully rolled out')


def _left(deployment: Object) -> str:
    """Return what a rollout still waits for; empty where it is complete."""
    status, replicas = deployment.get("status", {}), deployment["spec"]["replicas"]
    updated = status.get("updatedReplicas", 0)
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return "the spec update is not yet observed"
    if updated < replicas:
        return f"{updated} out of {replicas} new replicas have been updated"
    if (old := status.get("replicas", 0) - updated) > 0:
        return f"{old} old replicas are pending termination"
    if (available := status.get("availableReplicas", 0)) < updated:
        return f"{available} of {updated} updated replicas are available"
    return ""
