"""What a controller is, and how those that own pods tell which are theirs."""

from collections.abc import Callable, Iterable

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.queue import Context, WorkQueue
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    controller_of,
    controller_reference,
    is_controlled_by,
    is_terminating,
    key_of,
    labels_of,
    uid_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.store import Change
from kubectl_safe.sandbox.cluster.strategic import strategic_merge


class Controller:
    """Reacts to changes of the resources that it watches."""

    watches: tuple[Resource, ...] = ()

    def __init__(self, context: Context) -> None:
        self.context = context
        self.queue = WorkQueue(context, self.sync)

    @property
    def model(self) -> Model:
        """The cluster."""
        return self.context.model

    def changed(self, change: Change) -> None:
        """Take a change of something that it watches; it must not write."""
        raise NotImplementedError

    def sync(self, key: Key) -> None:
        """Bring one object up to date.

        Raises:
            RefusalError: something could not be written; it is tried again.
        """
        raise NotImplementedError


class PodOwner(Controller):
    """A controller whose objects own pods."""

    kind: Resource

    def changed(self, change: Change) -> None:
        """Enqueue the object that changed, or the owners of a pod that did."""
        if change.resource is self.kind:
            self.queue.add(key_of(change.object))
        elif change.resource is kinds.PODS:
            self.pod_changed(change.object, change.before)

    def pod_changed(self, pod: Json, before: Json | None) -> None:
        """Enqueue the owner of a pod, the one it had before, and those that may adopt it where it has none."""
        if before is not None and controller_of(before) != controller_of(pod):
            self._enqueue_owner(before)
        if controller_of(pod) is not None:
            self._enqueue_owner(pod)
        elif not is_terminating(pod) and (
            before is None or labels_of(before) != labels_of(pod) or controller_of(before) is not None
        ):
            for owner in self.model.all(self.kind, pod["metadata"]["namespace"]):
                if self.selector_of(owner)(labels_of(pod)):
                    self.queue.add(key_of(owner))

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what an owner selects."""
        raise NotImplementedError

    def claim(self, owner: Json, pods: Iterable[Json]) -> list[Json]:
        """Return the pods that are the owner's, after it took on orphans and let go what it selects no more."""
        selects = self.selector_of(owner)
        claimed = []
        for pod in pods:
            if controller_of(pod) is not None:
                if is_controlled_by(pod, owner):
                    if selects(labels_of(pod)):
                        claimed.append(pod)
                    elif not is_terminating(owner):
                        self._release(owner, pod)
            elif selects(labels_of(pod)) and not is_terminating(owner) and not is_terminating(pod):
                claimed.append(self._adopt(owner, pod))
        return claimed

    def _enqueue_owner(self, pod: Json) -> None:
        reference = controller_of(pod)
        if reference is not None and reference["kind"] == self.kind.kind:
            self.queue.add((pod["metadata"]["namespace"], reference["name"]))

    def _adopt(self, owner: Json, pod: Json) -> Json:
        return self._patch_owners(pod, controller_reference(owner))

    def _release(self, owner: Json, pod: Json) -> None:
        try:
            self._patch_owners(pod, {"$patch": "delete", "uid": uid_of(owner)})
        except RefusalError as refusal:
            if refusal.code != 404:
                raise

    def _patch_owners(self, pod: Json, reference: Json) -> Json:
        patch = {"metadata": {"ownerReferences": [reference], "uid": uid_of(pod)}}
        return self.model.update(kinds.PODS, *key_of(pod), lambda before: strategic_merge(before, patch))


def new_pod(template: Json, owner: Json, *, name: str = "", further: Json | None = None) -> Json:
    """Return a pod by a template, owned; without a name it gets one behind the owner's."""
    told = template.get("metadata") or {}
    metadata: Json = {
        "labels": {**(told.get("labels") or {}), **(further or {})},
        "annotations": dict(told.get("annotations") or {}),
        "ownerReferences": [controller_reference(owner)],
    }
    if told.get("finalizers"):
        metadata["finalizers"] = list(told["finalizers"])
    if name:
        metadata["name"] = name
    else:
        metadata["generateName"] = f"{owner['metadata']['name']}-"
    return {"metadata": metadata, "spec": template["spec"]}


def counts(**values: int) -> Json:
    """Return the counts of a status; those that are 0 are not told."""
    return {name: value for name, value in values.items() if value}
