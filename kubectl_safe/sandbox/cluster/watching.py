"""Watches: every change of a collection from a version on, as far as it is selected.

They tell of changes at once; how long that takes to arrive is the door's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster.objects import Json, labels_of
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.store import Change, Store

Told = dict[str, Any]
"""A watch event: `type` and `object`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a resource a request is about."""

    resource: Resource
    namespace: str = ""
    labels: Callable[[dict[str, str]], bool] | None = None
    fields: Callable[[Json], bool] | None = None

    def has(self, subject: Json) -> bool:
        """Tell whether an object is among them."""
        return (
            (not self.namespace or subject["metadata"].get("namespace") == self.namespace)
            and (self.labels is None or self.labels(labels_of(subject)))
            and (self.fields is None or self.fields(subject))
        )


class Watch:
    """A watch; `tell` is called with each event until `close`.

    Args:
        store: what is watched.
        selection: what of it.
        tell: takes an event; it must not write to the store.
    """

    def __init__(self, store: Store, selection: Selection, tell: Callable[[Told], None]) -> None:
        self._store = store
        self._selection = selection
        self._tell = tell
        self._told = 0

    @property
    def version(self) -> int:
        """Up to which version everything has been told."""
        return max(self._told, self._store.version)

    def start(self, since: int | None) -> None:
        """Tell of what is there (since None), or of what came after a version, and go on from there.

        Raises:
            RefusalError: what came after that version is not known any more.
        """
        if since is None:
            for subject in self._store.all(self._selection.resource, self._selection.namespace):
                if self._selection.has(subject):
                    self._tell({"type": "ADDED", "object": subject})
        elif since < self._store.compacted:
            raise refusals.expired(f"too old resource version: {since} ({self._store.compacted})")
        else:
            for change in self._store.since(since):
                self._take(change)
        self._store.listeners.append(self._take)

    def close(self) -> None:
        """Tell no more."""
        if self._take in self._store.listeners:
            self._store.listeners.remove(self._take)

    def bookmark(self, *, ends_initial: bool = False) -> Told:
        """Return the event that tells how far it has come."""
        metadata: Json = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if ends_initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        resource = self._selection.resource
        subject = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return {"type": "BOOKMARK", "object": subject}

    def _take(self, change: Change) -> None:
        self._told = change.version
        if change.resource is not self._selection.resource:
            return
        was = change.before is not None and self._selection.has(change.before)
        is_now = change.type != "DELETED" and self._selection.has(change.object)
        if is_now:
            self._tell({"type": "MODIFIED" if was else "ADDED", "object": change.object})
        elif was and change.type == "DELETED":
            self._tell({"type": "DELETED", "object": change.object})
        elif was and change.before is not None:
            # What leaves a selection is told as it was, under the version at which it left.
            version = change.object["metadata"]["resourceVersion"]
            metadata = {**change.before["metadata"], "resourceVersion": version}
            self._tell({"type": "DELETED", "object": {**change.before, "metadata": metadata}})
