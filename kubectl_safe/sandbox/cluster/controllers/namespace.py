"""The namespace controller: empties a namespace that is being deleted, and lets it go."""

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.objects import Key, is_terminating, key_of
from kubectl_safe.sandbox.cluster.store import Change
from kubectl_safe.sandbox.cluster.subresources import finalize


class Namespaces(Controller):
    """Follows every resource, because what is left in a namespace holds it up."""

    def changed(self, change: Change) -> None:
        """Enqueue a namespace that changed, and that of something that is gone."""
        if change.resource is kinds.NAMESPACES:
            if is_terminating(change.object) and change.type != "DELETED":
                self.queue.add(key_of(change.object))
        elif change.type == "DELETED" and (name := change.object["metadata"].get("namespace")):
            namespace = self.model.find(kinds.NAMESPACES, "", name)
            if namespace is not None and is_terminating(namespace):
                self.queue.add(("", name))

    def sync(self, key: Key) -> None:
        """Delete what is in it; where nothing is, finalize it."""
        namespace = self.model.find(kinds.NAMESPACES, *key)
        if namespace is None or not is_terminating(namespace):
            return
        is_empty = True
        for resource in list(self.model.resources):
            if resource.is_namespaced:
                for subject in self.model.all(resource, key[1]):
                    is_empty = False
                    if not is_terminating(subject):
                        delete_if_there(self.model, resource, subject)
        if is_empty:
            finalize(self.model, key[1], [])
        elif not any(self.model.all(resource, key[1]) for resource in self.model.resources if resource.is_namespaced):
            self.queue.add(key)
