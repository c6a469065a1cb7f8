"""The garbage collector: deletes what has lost its owners, and lets owners wait for it or leave it behind."""

from collections.abc import Callable

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.controllers.queue import Context
from kubectl_safe.sandbox.cluster.deletion import DeleteOptions, delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    FOREGROUND,
    ORPHAN,
    Json,
    Key,
    is_terminating,
    key_of,
    owners_of,
    uid_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.store import Change

_UNWATCHED = (kinds.EVENTS,)


class GarbageCollector(Controller):
    """Follows every resource; its work is by UID."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._places: dict[str, tuple[Resource, Key]] = {}
        self._dependents: dict[str, set[str]] = {}

    def changed(self, change: Change) -> None:
        """Keep the graph, and look at what changed, what depends on what is gone, and who waits for it."""
        if change.resource in _UNWATCHED:
            return
        uid = uid_of(change.object)
        before = owners_of(change.before) if change.before else []
        for owner in before:
            self._dependents.get(owner["uid"], set()).discard(uid)
        if change.type == "DELETED":
            self._places.pop(uid, None)
            self._enqueue(*(owner["uid"] for owner in owners_of(change.object)), *self._dependents.get(uid, ()))
            return
        self._places[uid] = change.resource, key_of(change.object)
        after = owners_of(change.object)
        for owner in after:
            self._dependents.setdefault(owner["uid"], set()).add(uid)
        if after or change.object["metadata"].get("finalizers"):
            self._enqueue(uid)
        if before != after:
            self._enqueue(*(owner["uid"] for owner in before))

    def _enqueue(self, *uids: str) -> None:
        for uid in uids:
            self.queue.add(("", uid))

    def sync(self, key: Key) -> None:
        """Look at one object."""
        place = self._places.get(key[1])
        if place is None:
            return
        resource, (namespace, name) = place
        subject = self.model.find(resource, namespace, name)
        if subject is None or uid_of(subject) != key[1]:
            return
        finalizers = subject["metadata"].get("finalizers") or []
        if is_terminating(subject):
            if ORPHAN in finalizers:
                self._orphan(resource, subject)
            elif FOREGROUND in finalizers:
                self._delete_dependents(resource, subject)
            return
        if owners_of(subject):
            self._attempt(resource, subject)

    def _attempt(self, resource: Resource, subject: Json) -> None:
        """Delete an object none of whose owners is there, and cut off those that are gone where others are."""
        solid = [owner for owner in owners_of(subject) if self._is_there(subject, owner)]
        gone = [owner for owner in owners_of(subject) if owner not in solid]
        waiting = [owner for owner in solid if self._waits_for_dependents(owner)]
        if len(solid) > len(waiting):
            if gone or waiting:
                kept = [owner for owner in solid if owner not in waiting]
                self._set_owners(resource, subject, kept)
            return
        if waiting:
            delete_if_there(self.model, resource, subject, DeleteOptions(propagation="Foreground"))
        elif gone:
            delete_if_there(self.model, resource, subject, DeleteOptions(propagation="Background"))

    def _owner(self, owner: Json) -> Json | None:
        place = self._places.get(owner["uid"])
        if place is None:
            return None
        found = self.model.find(place[0], *place[1])
        return found if found is not None and uid_of(found) == owner["uid"] else None

    def _is_there(self, subject: Json, owner: Json) -> bool:
        if self.model.resources.of_kind(owner["apiVersion"], owner["kind"]) is None:
            # Of a kind that is not served nobody can tell whether it is there.
            return True
        found = self._owner(owner)
        # An owner in another namespace is as good as none.
        return found is not None and found["metadata"].get("namespace") in (None, subject["metadata"].get("namespace"))

    def _waits_for_dependents(self, owner: Json) -> bool:
        found = self._owner(owner)
        return found is not None and is_terminating(found) and FOREGROUND in (found["metadata"].get("finalizers") or [])

    def _delete_dependents(self, resource: Resource, owner: Json) -> None:
        """Delete what depends on an owner that waits; let the owner go once nothing blocks it."""
        blocking = False
        for dependent in list(self._dependents.get(uid_of(owner), ())):
            if dependent not in self._places:
                continue
            its, key = self._places[dependent]
            subject = self.model.find(its, *key)
            if subject is None:
                continue
            reference = next((o for o in owners_of(subject) if o["uid"] == uid_of(owner)), {})
            blocking = blocking or bool(reference.get("blockOwnerDeletion"))
            if not is_terminating(subject):
                self._enqueue(dependent)
        if not blocking:
            self._drop_finalizer(resource, owner, FOREGROUND)

    def _orphan(self, resource: Resource, owner: Json) -> None:
        for dependent in list(self._dependents.get(uid_of(owner), ())):
            if dependent in self._places:
                its, key = self._places[dependent]
                subject = self.model.find(its, *key)
                if subject is not None:
                    kept = [o for o in owners_of(subject) if o["uid"] != uid_of(owner)]
                    self._set_owners(its, subject, kept)
        self._drop_finalizer(resource, owner, ORPHAN)

    def _set_owners(self, resource: Resource, subject: Json, owners: list[Json]) -> None:
        def change(before: Json) -> Json:
            return {**before, "metadata": {**before["metadata"], "ownerReferences": owners}}

        self._update(resource, subject, change)

    def _drop_finalizer(self, resource: Resource, subject: Json, name: str) -> None:
        def change(before: Json) -> Json:
            left = [its for its in before["metadata"].get("finalizers") or [] if its != name]
            return {**before, "metadata": {**before["metadata"], "finalizers": left}}

        self._update(resource, subject, change)

    def _update(self, resource: Resource, subject: Json, change: Callable[[Json], Json]) -> None:
        try:
            self.model.update(resource, *key_of(subject), change)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise
