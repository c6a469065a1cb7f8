"""The Deployment controller: one ReplicaSet a template, and the step from one to the next.

The steps are those of pkg/controller/deployment (sync.go, rolling.go, recreate.go, progress.go).
"""

from datetime import timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers import rollout
from kubectl_safe.sandbox.cluster.controllers.base import Controller, counts
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.model import template_hash
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    controller_of,
    controller_reference,
    instant,
    is_controlled_by,
    is_finished,
    is_terminating,
    key_of,
    labels_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.selectors import of_selector
from kubectl_safe.sandbox.cluster.store import Change

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {"kubectl.kubernetes.io/last-applied-configuration", REVISION, DESIRED, MOST}


class Deployments(Controller):
    """Rolls Deployments out."""

    watches = (kinds.DEPLOYMENTS, kinds.REPLICA_SETS, kinds.PODS)

    def changed(self, change: Change) -> None:
        """Enqueue the Deployment that changed, that of a ReplicaSet, and that of a pod that is gone."""
        if change.resource is kinds.DEPLOYMENTS:
            self.queue.add(key_of(change.object))
        elif change.resource is kinds.REPLICA_SETS:
            for owned in filter(None, (change.before, change.object)):
                self._enqueue_owner(owned)
        elif change.type == "DELETED" and (reference := controller_of(change.object)):
            owner = self.model.find(kinds.REPLICA_SETS, change.object["metadata"]["namespace"], reference["name"])
            if owner is not None:
                self._enqueue_owner(owner)

    def _enqueue_owner(self, owned: Json) -> None:
        reference = controller_of(owned)
        namespace = owned["metadata"]["namespace"]
        if reference is not None:
            if reference["kind"] == "Deployment":
                self.queue.add((namespace, reference["name"]))
            return
        for deployment in self.model.all(kinds.DEPLOYMENTS, namespace):
            if of_selector(deployment["spec"]["selector"])(labels_of(owned)):
                self.queue.add(key_of(deployment))

    def sync(self, key: Key) -> None:
        """Bring one Deployment a step further."""
        deployment = self.model.find(kinds.DEPLOYMENTS, *key)
        if deployment is None:
            return
        owned = self._claim(deployment)
        if is_terminating(deployment):
            self._write_status(deployment, owned)
            return
        spec = deployment["spec"]
        if spec.get("paused") or self._is_scaling_event(deployment, owned):
            self._scale(deployment, owned)
        elif spec["strategy"]["type"] == "Recreate":
            self._recreate(deployment, owned)
        else:
            self._roll(deployment, owned)
        deployment = self.model.find(kinds.DEPLOYMENTS, *key) or deployment
        self._write_status(deployment, self._owned(deployment))

    def _owned(self, deployment: Json) -> list[Json]:
        namespace = deployment["metadata"]["namespace"]
        return [its for its in self.model.all(kinds.REPLICA_SETS, namespace) if is_controlled_by(its, deployment)]

    def _claim(self, deployment: Json) -> list[Json]:
        """Return the ReplicaSets that are the Deployment's, after it took on orphans."""
        selects = of_selector(deployment["spec"]["selector"])
        for its in self.model.all(kinds.REPLICA_SETS, deployment["metadata"]["namespace"]):
            is_orphan = controller_of(its) is None and not is_terminating(its)
            if is_orphan and selects(labels_of(its)) and not is_terminating(deployment):
                self._change(its, owner=controller_reference(deployment))
        return self._owned(deployment)

    def _new(self, deployment: Json, owned: list[Json], *, creates: bool) -> Json | None:
        """Return the ReplicaSet of the current template; create it where it is missing and may be created."""
        found = rollout.current(deployment, owned)
        old = [its for its in owned if its is not found]
        revision = str(max((rollout.revision(its) for its in old), default=0) + 1)
        annotations = {
            name: value
            for name, value in (deployment["metadata"].get("annotations") or {}).items()
            if name not in _NOT_COPIED
        }
        if found is not None:
            if rollout.revision(found) < int(revision):
                annotations[REVISION] = revision
            return self._change(found, annotations=annotations, min_ready=deployment["spec"].get("minReadySeconds", 0))
        if not creates:
            return None
        return self._create(deployment, owned, {**annotations, REVISION: revision})

    def _create(self, deployment: Json, owned: list[Json], annotations: dict[str, str]) -> Json:
        template, spec = deployment["spec"]["template"], deployment["spec"]
        name = template_hash(template, deployment.get("status", {}).get("collisionCount", 0))
        labels = {**(template["metadata"].get("labels") or {}), HASH: name}
        selector = spec["selector"]
        body: Json = {
            "metadata": {
                "name": f"{deployment['metadata']['name']}-{name}",
                "labels": labels,
                "annotations": {**annotations, **self._sizes(deployment)},
                "ownerReferences": [controller_reference(deployment)],
            },
            "spec": {
                "replicas": rollout.size_of_new(deployment, owned, None),
                "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: name}},
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
        }
        if least := spec.get("minReadySeconds"):
            body["spec"]["minReadySeconds"] = least
        return self.model.create(kinds.REPLICA_SETS, deployment["metadata"]["namespace"], body)

    def _sizes(self, deployment: Json) -> dict[str, str]:
        replicas = deployment["spec"]["replicas"]
        return {DESIRED: str(replicas), MOST: str(replicas + rollout.max_surge(deployment))}

    def _change(
        self,
        replica_set: Json,
        *,
        replicas: int | None = None,
        annotations: dict[str, str] | None = None,
        min_ready: int | None = None,
        owner: Json | None = None,
    ) -> Json:
        def change(before: Json) -> Json:
            metadata, spec = dict(before["metadata"]), dict(before["spec"])
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **(annotations or {})}
            if owner is not None:
                metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or []), owner]
            if replicas is not None:
                spec["replicas"] = replicas
            if min_ready:
                spec["minReadySeconds"] = min_ready
            elif min_ready is not None:
                spec.pop("minReadySeconds", None)
            return {**before, "metadata": metadata, "spec": spec}

        return self.model.update(kinds.REPLICA_SETS, *key_of(replica_set), change)

    def _resize(self, deployment: Json, sizes: dict[str, int], owned: list[Json]) -> bool:
        """Scale ReplicaSets to sizes by name; tell whether any changed."""
        changed = False
        for its in owned:
            wanted = sizes.get(its["metadata"]["name"], its["spec"]["replicas"])
            if wanted != its["spec"]["replicas"]:
                self._change(its, replicas=wanted, annotations=self._sizes(deployment))
                changed = True
        return changed

    def _is_scaling_event(self, deployment: Json, owned: list[Json]) -> bool:
        return any(
            its["spec"]["replicas"] > 0
            and (desired := (its["metadata"].get("annotations") or {}).get(DESIRED)) is not None
            and int(desired) != deployment["spec"]["replicas"]
            for its in owned
        )

    def _scale(self, deployment: Json, owned: list[Json]) -> None:
        new = self._new(deployment, owned, creates=False)
        owned = self._owned(deployment)
        sizes = rollout.proportional(deployment, owned, new)
        self._resize(deployment, sizes, owned)
        for its in self._owned(deployment):
            if its["metadata"]["name"] in sizes:
                self._change(its, annotations=self._sizes(deployment))

    def _recreate(self, deployment: Json, owned: list[Json]) -> None:
        new = self._new(deployment, owned, creates=False)
        old = [its for its in owned if new is None or key_of(its) != key_of(new)]
        if self._resize(deployment, {its["metadata"]["name"]: 0 for its in old}, old):
            return
        names = {its["metadata"]["uid"] for its in old}
        for pod in self.model.all(kinds.PODS, deployment["metadata"]["namespace"]):
            reference = controller_of(pod)
            if reference and reference["uid"] in names and not is_finished(pod):
                return
        new = self._new(deployment, owned, creates=True)
        if new is not None:
            self._resize(deployment, {new["metadata"]["name"]: deployment["spec"]["replicas"]}, [new])

    def _roll(self, deployment: Json, owned: list[Json]) -> None:
        new = self._new(deployment, owned, creates=True)
        if new is None:
            return
        owned = self._owned(deployment)
        old = [its for its in owned if key_of(its) != key_of(new)]
        size = rollout.size_of_new(deployment, owned, new)
        if self._resize(deployment, {new["metadata"]["name"]: size}, [new]):
            return
        if self._resize(deployment, rollout.sizes_of_old(deployment, old, new), old):
            return
        if rollout.is_complete(deployment, deployment.get("status", {})):
            self._clean_up(deployment, old)

    def _clean_up(self, deployment: Json, old: list[Json]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        idle = [its for its in old if not is_terminating(its)]
        for its in sorted(idle, key=rollout.revision)[: max(0, len(idle) - limit)]:
            if not its["spec"]["replicas"] and not its["status"].get("replicas"):
                delete_if_there(self.model, kinds.REPLICA_SETS, its)

    def _write_status(self, deployment: Json, owned: list[Json]) -> None:
        new = rollout.current(deployment, owned)
        status = _counted(deployment, owned, new)
        conditions = {its["type"]: its for its in deployment.get("status", {}).get("conditions") or ()}
        wanted = rollout.conditions(deployment, owned, new, status, self.model.now())
        status["conditions"] = [self._since(conditions.get(its["type"]), its) for its in wanted]
        revision = (new or {"metadata": {}})["metadata"].get("annotations", {}).get(REVISION)
        try:
            if revision and (deployment["metadata"].get("annotations") or {}).get(REVISION) != revision:
                deployment = self._note_revision(deployment, revision)
            self.model.set_status(kinds.DEPLOYMENTS, deployment, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise
        self._look_again(deployment, status)

    def _note_revision(self, deployment: Json, revision: str) -> Json:
        def change(before: Json) -> Json:
            annotations = {**(before["metadata"].get("annotations") or {}), REVISION: revision}
            return {**before, "metadata": {**before["metadata"], "annotations": annotations}}

        return self.model.update(kinds.DEPLOYMENTS, *key_of(deployment), change)

    def _since(self, known: Json | None, wanted: Json) -> Json:
        """Return a condition with its times: those that it had, as far as it says the same."""
        now = self.context.now
        if known is not None and all(known.get(name) == wanted[name] for name in ("status", "reason", "message")):
            return known
        same = known is not None and known["status"] == wanted["status"]
        return {
            **wanted,
            "lastUpdateTime": now,
            "lastTransitionTime": known["lastTransitionTime"] if same and known else now,
        }

    def _look_again(self, deployment: Json, status: Json) -> None:
        """Come back when the deadline of its progress has passed."""
        progressing = next((its for its in status["conditions"] if its["type"] == "Progressing"), None)
        if progressing is None or progressing["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
            return
        deadline = timedelta(seconds=deployment["spec"].get("progressDeadlineSeconds", 600))
        left = instant(progressing["lastUpdateTime"]) + deadline - self.model.now()
        self.queue.add_after(key_of(deployment), max(left.total_seconds(), 0) + 1)


def _counted(deployment: Json, owned: list[Json], new: Json | None) -> Json:
    def total(name: str, of: list[Json]) -> int:
        return sum(its.get("status", {}).get(name, 0) for its in of)

    available = total("availableReplicas", owned)
    status = counts(
        observedGeneration=deployment["metadata"]["generation"],
        replicas=total("replicas", owned),
        updatedReplicas=total("replicas", [new] if new else []),
        readyReplicas=total("readyReplicas", owned),
        availableReplicas=available,
        unavailableReplicas=max(0, sum(its["spec"]["replicas"] for its in owned) - available),
    )
    status["terminatingReplicas"] = total("terminatingReplicas", owned)
    return status
