"""Creating, changing and reading objects as the API server does it, whoever asks: a request or a controller.

It must not know of HTTP, users or time zones of requests: `server` does.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from kubectl_safe.sandbox.cluster import admission, defaults, refusals, validation
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.merging import json_patch
from kubectl_safe.sandbox.cluster.objects import Json, clone, is_terminating, key_of, stamp
from kubectl_safe.sandbox.cluster.resources import Resource, Resources
from kubectl_safe.sandbox.cluster.store import Store

Mutator = Callable[[Json, Json], list[Json]]
"""Takes a pod's namespace and the pod, before it is created; returns a JSON patch."""

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_KEPT = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_GIVEN = frozenset(
    {
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
    }
)
"""What only the server says of an object."""
NODE_PORTS = range(30000, 32768)
"""Of the API server's `--service-node-port-range`, by default."""
_DROPPED_WHEN_EMPTY = ("labels", "annotations", "ownerReferences", "finalizers")


class Model:
    """All objects of a cluster, and the only way to change them.

    Args:
        now: reads the clock.
        random: makes names and UIDs.
    """

    def __init__(self, *, now: Callable[[], datetime], random: Random) -> None:
        self.now = now
        self.random = random
        self.store = Store()
        self.resources = Resources()
        self.mutators: list[Mutator] = []
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.create(kinds.NAMESPACES, "", {"metadata": {"name": name}})

    def find(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        return self.store.get(resource, namespace, name)

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return an object.

        Raises:
            RefusalError: there is none.
        """
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise refusals.not_found(resource.group, resource.plural, name)
        return found

    def all(self, resource: Resource, namespace: str = "") -> list[Json]:
        """Return the objects of a namespace, or of all."""
        return self.store.all(resource, namespace)

    def create(self, resource: Resource, namespace: str, body: Json, *, is_dry_run: bool = False) -> Json:
        """Create an object, and return it.

        Raises:
            RefusalError: it is not valid, its name is taken, or its namespace takes no more.
        """
        subject = self._new(resource, namespace, body)
        if resource.is_namespaced:
            admission.admit_to_namespace(self.store, resource, subject)
        if resource is kinds.PODS:
            subject = self._mutated(subject)
        defaults.fill_in(resource, subject)
        validation.check(resource, subject)
        name = subject["metadata"]["name"]
        if resource is kinds.PODS:
            admission.admit_to_quotas(self.store, subject)
        if self.store.get(resource, namespace, name) is not None:
            raise refusals.already_exists(resource.group, resource.plural, name)
        if resource is kinds.DEFINITIONS:
            self._define(subject)
        if resource is kinds.SERVICES:
            self._give_address(subject["spec"])
        return subject if is_dry_run else self.store.put(resource, subject)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Callable[[Json], Json],
        *,
        subresource: str = "",
        replaces: bool = False,
        is_dry_run: bool = False,
    ) -> Json:
        """Change an object by a function that returns the new one, and return what is kept.

        A `resourceVersion` or a UID in the new one is a precondition. A change of nothing writes nothing. `replaces`
        tells that the whole object was sent, and not a patch.

        Raises:
            RefusalError: there is no such object, a precondition doesn't hold, or the new one is not valid.
        """
        before = self.get(resource, namespace, name)
        wanted = change(before)
        admission.check_preconditions(resource, wanted, before, replaces=replaces)
        after = _subresource(resource, subresource, wanted, before)
        metadata = after["metadata"] = _metadata(wanted["metadata"], before["metadata"])
        if subresource == "status":
            # A status write leaves the rest alone.
            metadata = after["metadata"] = {**before["metadata"]}
        else:
            defaults.fill_in(resource, after)
            validation.check(resource, after)
            if not (resource is kinds.PODS and subresource):
                validation.check_update(resource, after, before)
            if resource is kinds.DAEMON_SETS and after["spec"]["template"] != before["spec"]["template"]:
                count = int(metadata["annotations"][defaults.TEMPLATE_GENERATION])
                metadata["annotations"] = {**metadata["annotations"], defaults.TEMPLATE_GENERATION: str(count + 1)}
        if resource.counts_generations and _without_status(after) != _without_status(before):
            metadata["generation"] = before["metadata"].get("generation", 0) + 1
        if after == before:
            return before
        if is_dry_run:
            return after
        is_over = is_terminating(after) and not metadata.get("finalizers")
        if is_over and not metadata.get("deletionGracePeriodSeconds"):
            return self.store.remove(resource, after)
        return self.store.put(resource, after)

    def set_status(self, resource: Resource, subject: Json, status: Json) -> Json:
        """Write a status, as a controller does; what it was computed from may be older than what is there.

        Raises:
            RefusalError: the object is gone.
        """
        return self.update(
            resource,
            *key_of(subject),
            lambda before: {**before, "status": status},
            subresource="status",
        )

    def new_suffix(self) -> str:
        """Return what is put behind a `generateName`."""
        return "".join(self.random.choices(_LETTERS, k=5))

    def new_uid(self) -> str:
        """Return a UID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _new(self, resource: Resource, namespace: str, body: Json) -> Json:
        """Return the object that a body asks for, with what the server gives it."""
        subject = {"apiVersion": resource.api_version, "kind": resource.kind, **_told(body)}
        metadata = subject["metadata"] = self._new_metadata(resource, namespace, subject.get("metadata") or {})
        if resource.counts_generations:
            metadata["generation"] = 1
        status = defaults.first_status(resource, subject)
        if status is not None:
            subject["status"] = status
        elif resource.is_custom and "status" in resource.subresources:
            subject.pop("status", None)
        return subject

    def _new_metadata(self, resource: Resource, namespace: str, told: Json) -> Json:
        metadata = {key: value for key, value in told.items() if key not in _GIVEN}
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                text = "Required value: name or generateName is required"
                causes = [("metadata.name", "FieldValueRequired", text)]
                raise refusals.invalid(resource.group, resource.kind, "", causes)
            metadata["name"] = metadata["generateName"] + self.new_suffix()
        if told.get("resourceVersion"):
            raise refusals.RefusalError(500, "", "resourceVersion should not be set on objects to be created")
        if metadata.setdefault("namespace", namespace) != namespace:
            raise refusals.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if not namespace:
            del metadata["namespace"]
        metadata["uid"] = self.new_uid()
        metadata["creationTimestamp"] = stamp(self.now())
        _drop_empty(metadata)
        return metadata

    def _mutated(self, pod: Json) -> Json:
        namespace = self.get(kinds.NAMESPACES, "", pod["metadata"]["namespace"])
        for mutator in self.mutators:
            if patch := mutator(namespace, pod):
                pod = json_patch(pod, patch)
        return pod

    def _define(self, definition: Json) -> None:
        self.resources.define(definition)
        definition["status"] = {
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": stamp(self.now())}
                for kind in ("NamesAccepted", "Established")
            ]
        }

    def _give_address(self, spec: Json) -> None:
        if spec["type"] != "ExternalName" and "clusterIP" not in spec:
            spec["clusterIP"] = f"10.96.{self.random.randrange(1, 255)}.{self.random.randrange(1, 255)}"
        if "clusterIP" in spec:
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
            if len(spec["ipFamilies"]) > len(spec["clusterIPs"]) and spec["clusterIP"] != "None":
                spec["clusterIPs"].append(f"fd00:96::{self.random.randrange(1, 65536):x}")
        if spec["type"] in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or []:
                if "nodePort" not in port:
                    port["nodePort"] = self._free_node_port()

    def _free_node_port(self) -> int:
        taken = {port.get("nodePort") for its in self.all(kinds.SERVICES) for port in its["spec"].get("ports") or []}
        return self.random.choice([port for port in NODE_PORTS if port not in taken])


def template_hash(template: Json, salt: int = 0) -> str:
    """Return a name for a pod template, as `pod-template-hash` is one."""
    text = json.dumps(template, sort_keys=True) + (str(salt) if salt else "")
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10])


def _told(body: Any) -> Any:
    """Return a copy of a body without what is null, which is as good as not told."""
    if isinstance(body, dict):
        return {key: _told(item) for key, item in body.items() if item is not None}
    if isinstance(body, list):
        return [_told(item) for item in body]
    return body


def _drop_empty(metadata: Json) -> None:
    for field in _DROPPED_WHEN_EMPTY:
        if field in metadata and not metadata[field]:
            del metadata[field]


def _metadata(wanted: Json, before: Json) -> Json:
    """Return the metadata of a changed object: what is the server's stays as it was."""
    metadata = {key: value for key, value in clone(wanted).items() if key not in _KEPT and key != "generation"}
    metadata.pop("managedFields", None)
    _drop_empty(metadata)
    kept = {key: before[key] for key in (*_KEPT, "generation", "resourceVersion") if key in before}
    return {**metadata, **kept}


def _subresource(resource: Resource, subresource: str, wanted: Json, before: Json) -> Json:
    """Return the changed object as far as the subresource reaches."""
    if subresource == "status":
        after: Json = dict(before)
        after["status"] = _told(wanted.get("status") or {})
        if resource is kinds.PODS:
            # Its type leaves out what is empty (`omitempty`).
            for condition in after["status"].get("conditions") or ():
                for name in ("reason", "message"):
                    if condition.get(name) == "":
                        del condition[name]
        return after
    after = _told(wanted)
    after["apiVersion"], after["kind"] = before["apiVersion"], before["kind"]
    if "status" in resource.subresources and not subresource:
        after.pop("status", None)
        if "status" in before:
            after["status"] = before["status"]
    return after


def _without_status(subject: Json) -> Json:
    return {key: value for key, value in subject.items() if key not in ("status", "metadata")}
