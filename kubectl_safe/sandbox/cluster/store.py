"""Objects with their versions, and the history that watches read.

It must not judge what is written: whoever calls it has done so.
"""

from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

from kubectl_safe.sandbox.cluster.objects import Json, key_of
from kubectl_safe.sandbox.cluster.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

_HISTORY = 20_000


class Change(NamedTuple):
    """One change of one object; the type is ADDED, MODIFIED or DELETED, `before` is the object as it was."""

    version: int
    type: str
    resource: Resource
    object: Json
    before: Json | None


class Store:
    """All objects of a cluster. `listeners` are told each change at once, in order."""

    def __init__(self) -> None:
        self.version = 1
        self.compacted = 0
        """No watch can begin before this version."""
        self.listeners: list[Callable[[Change], None]] = []
        self._objects: dict[Resource, dict[str, dict[str, Json]]] = defaultdict(lambda: defaultdict(dict))
        self._history: deque[Change] = deque()

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return an object."""
        return self._objects[resource][namespace].get(name)

    def all(self, resource: Resource, namespace: str = "") -> list[Json]:
        """Return the objects of a namespace, or of all, ordered as etcd orders its keys."""
        spaces = self._objects[resource]
        chosen = [namespace] if namespace else sorted(spaces)
        return [subject for space in chosen for _name, subject in sorted(spaces[space].items())]

    def put(self, resource: Resource, subject: Json) -> Json:
        """Keep an object under the next version, and return it as it is kept."""
        return self._change(resource, subject, is_deleted=False)

    def remove(self, resource: Resource, subject: Json) -> Json:
        """Remove an object, and return it as it is told last."""
        return self._change(resource, subject, is_deleted=True)

    def since(self, version: int) -> list[Change]:
        """Return all changes after a version."""
        return [change for change in self._history if change.version > version]

    def compact(self) -> None:
        """Forget the history up to now: watches that are behind have to list anew."""
        self._history.clear()
        self.compacted = self.version

    def _change(self, resource: Resource, subject: Json, *, is_deleted: bool) -> Json:
        self.version += 1
        kept = {**subject, "metadata": {**subject["metadata"], "resourceVersion": str(self.version)}}
        namespace, name = key_of(kept)
        objects = self._objects[resource][namespace]
        before = objects.pop(name, None)
        if not is_deleted:
            objects[name] = kept
        kind = "DELETED" if is_deleted else "MODIFIED" if before is not None else "ADDED"
        change = Change(self.version, kind, resource, kept, before)
        self._history.append(change)
        if len(self._history) > _HISTORY:
            self.compacted = self._history.popleft().version
        for listener in tuple(self.listeners):
            listener(change)
        return kept
