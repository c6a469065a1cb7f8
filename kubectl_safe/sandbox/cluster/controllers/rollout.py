"""How many pods each ReplicaSet of a Deployment is to have next, and what its conditions say. Pure."""

from datetime import datetime, timedelta

from kubectl_safe.sandbox.cluster.objects import Json, condition, instant, scaled, stamp

_HASH = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_MOST = "deployment.kubernetes.io/max-replicas"


def revision(replica_set: Json) -> int:
    """Return a ReplicaSet's revision, 0 where it has none."""
    return int((replica_set["metadata"].get("annotations") or {}).get(_REVISION, 0))


def current(deployment: Json, owned: list[Json]) -> Json | None:
    """Return the oldest ReplicaSet whose template is the Deployment's."""
    wanted = _without_hash(deployment["spec"]["template"])
    found = [its for its in owned if _without_hash(its["spec"]["template"]) == wanted]
    return min(found, key=_age, default=None)


def max_surge(deployment: Json) -> int:
    """Return how many pods more than its replicas a Deployment may have."""
    return _limits(deployment)[0]


def max_unavailable(deployment: Json) -> int:
    """Return how many pods fewer than its replicas a Deployment may have available."""
    return _limits(deployment)[1]


def size_of_new(deployment: Json, owned: list[Json], new: Json | None) -> int:
    """Return the size of the new ReplicaSet: as much as the surge allows (NewRSNewReplicas)."""
    wanted: int = deployment["spec"]["replicas"]
    have: int = new["spec"]["replicas"] if new else 0
    if have >= wanted or deployment["spec"]["strategy"]["type"] == "Recreate":
        return wanted
    total = sum(its["spec"]["replicas"] for its in owned)
    most = wanted + max_surge(deployment)
    return have if total >= most else have + min(most - total, wanted - have)


def sizes_of_old(deployment: Json, old: list[Json], new: Json) -> dict[str, int]:
    """Return the sizes of the old ReplicaSets by name: first what doesn't work goes, then what is not needed."""
    if not any(its["spec"]["replicas"] for its in old):
        return {}
    least = deployment["spec"]["replicas"] - max_unavailable(deployment)
    unavailable = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
    may_go = sum(its["spec"]["replicas"] for its in [*old, new]) - least - unavailable
    if may_go <= 0:
        return {}
    sizes = {its["metadata"]["name"]: its["spec"]["replicas"] for its in old}
    for its in sorted(old, key=_age):
        name = its["metadata"]["name"]
        gone = min(may_go, sizes[name] - its.get("status", {}).get("availableReplicas", 0))
        if gone > 0:
            sizes[name] -= gone
            may_go -= gone
    spare = sum(its.get("status", {}).get("availableReplicas", 0) for its in [*old, new]) - least
    for its in sorted(old, key=_age):
        name = its["metadata"]["name"]
        gone = max(0, min(spare, sizes[name]))
        sizes[name] -= gone
        spare -= gone
    return sizes


def proportional(deployment: Json, owned: list[Json], new: Json | None) -> dict[str, int]:
    """Return the sizes by name after the Deployment's replicas have changed."""
    wanted: int = deployment["spec"]["replicas"]
    active = [its for its in owned if its["spec"]["replicas"] > 0]
    if len(active) <= 1:
        only = active[0] if active else new or max(owned, key=revision, default=None)
        return {only["metadata"]["name"]: wanted} if only else {}
    if new is not None and _is_saturated(deployment, new):
        return {its["metadata"]["name"]: 0 for its in active if its["metadata"]["name"] != new["metadata"]["name"]}
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return {}
    allowed = wanted + max_surge(deployment) if wanted else 0
    to_add = allowed - sum(its["spec"]["replicas"] for its in active)
    # The biggest first; the newest of equals grows, the oldest shrinks.
    active.sort(key=lambda its: (-its["spec"]["replicas"], -_age(its)[0] if to_add > 0 else _age(its)[0]))
    sizes, added = {}, 0
    for its in active:
        share = _share(deployment, its, to_add, added)
        sizes[its["metadata"]["name"]] = its["spec"]["replicas"] + share
        added += share
    first = active[0]["metadata"]["name"]
    sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def is_complete(deployment: Json, status: Json) -> bool:
    """Tell whether all pods are of the new template, and available."""
    wanted = deployment["spec"]["replicas"]
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def conditions(deployment: Json, owned: list[Json], new: Json | None, status: Json, now: datetime) -> list[Json]:
    """Return the conditions that a status comes with; their times are the caller's to fill in."""
    found = [_available(deployment, status), _progressing(deployment, new, status, now)]
    failed = next((its for rs in [*([new] if new else []), *owned] if (its := condition(rs, "ReplicaFailure"))), None)
    if failed is not None:
        found.append(
            {"type": "ReplicaFailure", "status": "True", "reason": failed["reason"], "message": failed["message"]}
        )
    return found


def _available(deployment: Json, status: Json) -> Json:
    least = deployment["spec"]["replicas"] - max_unavailable(deployment)
    if status.get("availableReplicas", 0) >= least:
        told = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return {"type": "Available", "status": told[0], "reason": told[1], "message": told[2]}


def _progressing(deployment: Json, new: Json | None, status: Json, now: datetime) -> Json:
    known = condition(deployment, "Progressing")
    name = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if deployment["spec"].get("paused"):
        return _told("Unknown", "DeploymentPaused", "Deployment is paused")
    is_settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if known is not None and known["reason"] == "NewReplicaSetAvailable" and is_settled:
        return known
    if is_complete(deployment, status):
        return _told("True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
    if known is None:
        return _first_progress(new)
    return _next_progress(deployment, known, status, now, name)


def _next_progress(deployment: Json, known: Json, status: Json, now: datetime, name: str) -> Json:
    if _has_progressed(deployment.get("status", {}), status):
        told = _told("True", "ReplicaSetUpdated", f"{name} is progressing.")
        # Each step counts, though the words stay the same: the deadline is for the next one.
        since = known["lastTransitionTime"] if known["status"] == "True" else stamp(now)
        return {**told, "lastUpdateTime": stamp(now), "lastTransitionTime": since}
    if known["reason"] == "ProgressDeadlineExceeded" or now < _deadline(deployment, known):
        return known
    return _told("False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")


def _first_progress(new: Json | None) -> Json:
    if new is None:
        return _told("True", "FoundNewReplicaSet", "Found new replica set")
    name = new["metadata"]["name"]
    if new.get("status", {}).get("replicas"):
        return _told("True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
    return _told("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')


def _deadline(deployment: Json, known: Json) -> datetime:
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return instant(known.get("lastUpdateTime") or known["lastTransitionTime"]) + timedelta(seconds=seconds)


def _told(status: str, reason: str, message: str) -> Json:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _has_progressed(before: Json, after: Json) -> bool:
    def old(status: Json) -> int:
        its: int = status.get("replicas", 0) - status.get("updatedReplicas", 0)
        return its

    return (
        after.get("updatedReplicas", 0) > before.get("updatedReplicas", 0)
        or old(after) < old(before)
        or after.get("readyReplicas", 0) > before.get("readyReplicas", 0)
        or after.get("availableReplicas", 0) > before.get("availableReplicas", 0)
    )


def _limits(deployment: Json) -> tuple[int, int]:
    """Return surge and unavailable as numbers; where both come to 0, one may be unavailable (ResolveFenceposts)."""
    strategy, replicas = deployment["spec"]["strategy"], deployment["spec"]["replicas"]
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] != "RollingUpdate" or rolling is None:
        return 0, 0
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, rounds_up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, rounds_up=False)
    return surge, min(replicas, 1 if not surge and not unavailable else unavailable)


def _share(deployment: Json, replica_set: Json, to_add: int, added: int) -> int:
    """Return by how much one ReplicaSet grows of what is to be added in all (GetReplicaSetProportion)."""
    size = replica_set["spec"]["replicas"]
    if not size or not to_add or to_add == added:
        return 0
    total = int((replica_set["metadata"].get("annotations") or {}).get(_MOST, 0)) or deployment.get("status", {}).get(
        "replicas", 0
    )
    wanted = deployment["spec"]["replicas"] + max_surge(deployment)
    share = round(size * wanted / total) - size if total else 0
    left = to_add - added
    return min(share, left) if to_add > 0 else max(share, left)


def _is_saturated(deployment: Json, new: Json) -> bool:
    desired = (new["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/desired-replicas")
    wanted = deployment["spec"]["replicas"]
    return bool(
        desired is not None
        and new["spec"]["replicas"] == wanted == int(desired)
        and new.get("status", {}).get("availableReplicas", 0) == wanted
    )


def _age(replica_set: Json) -> tuple[float, str]:
    return instant(replica_set["metadata"]["creationTimestamp"]).timestamp(), replica_set["metadata"]["name"]


def _without_hash(template: Json) -> Json:
    metadata = dict(template.get("metadata") or {})
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != _HASH}
    if labels:
        metadata["labels"] = labels
    else:
        metadata.pop("labels", None)
    return {**template, "metadata": metadata}
