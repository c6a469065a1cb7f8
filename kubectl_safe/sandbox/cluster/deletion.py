"""Deletion as the API server does it: grace periods of pods, finalizers, and what becomes of dependents.

What follows from it is the controllers': a node ends the pod, the garbage collector deletes or orphans dependents.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import FOREGROUND, ORPHAN, Json, is_finished, is_terminating, key_of, stamp
from kubectl_safe.sandbox.cluster.resources import Resource

Propagation = Literal["Foreground", "Background", "Orphan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """What a deletion is asked for with; None means what the object's type says."""

    grace: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    propagation: Propagation | None = None
    is_dry_run: bool = False
    orphan_dependents: bool | None = None

    @classmethod
    def parse(cls, body: Json | None, query: dict[str, str] | None = None) -> "DeleteOptions":
        """Read a DeleteOptions object; without one, the parameters of the query count.

        Raises:
            RefusalError: it contradicts itself.
        """
        told: dict[str, Any] = {**(body or {})}
        for name, value in (query or {}).items():
            if not body and name == "gracePeriodSeconds":
                told[name] = int(value)
            elif not body and name == "propagationPolicy":
                told[name] = value
        preconditions = told.get("preconditions") or {}
        orphan, policy = told.get("orphanDependents"), told.get("propagationPolicy")
        if orphan is not None and policy is not None:
            raise refusals.invalid(
                "meta.k8s.io",
                "DeleteOptions",
                "",
                [
                    (
                        "propagationPolicy",
                        "FieldValueInvalid",
                        f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set',
                    )
                ],
            )
        if orphan is not None:
            policy = "Orphan" if orphan else "Background"
        return cls(
            grace=told.get("gracePeriodSeconds"),
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            propagation=policy,
            is_dry_run=bool(told.get("dryRun") or (query or {}).get("dryRun")),
            orphan_dependents=orphan,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion has led to: the object as it was last, and whether it is gone already."""

    object: Json
    is_gone: bool


def delete(
    model: Model, resource: Resource, namespace: str, name: str, options: DeleteOptions | None = None
) -> Deleted:
    """Delete an object, or begin to.

    Raises:
        RefusalError: there is none, or a precondition doesn't hold.
    """
    options = options or DeleteOptions()
    subject = model.get(resource, namespace, name)
    check_preconditions(resource, subject, options)
    if resource is kinds.PODS:
        options = replace(options, grace=_grace_of(subject, options))
    else:
        options = replace(options, grace=0)
    finalizers = _finalizers(resource, subject, options)
    if resource is kinds.NAMESPACES and subject["spec"].get("finalizers"):
        return _terminate_namespace(model, subject, options)
    if not finalizers and not options.grace:
        gone = subject if options.is_dry_run else model.store.remove(resource, _last(subject, options))
        return Deleted(object=gone, is_gone=True)
    after = _marked(model, subject, options, finalizers)
    if after == subject or options.is_dry_run:
        return Deleted(object=after, is_gone=False)
    return Deleted(object=model.store.put(resource, after), is_gone=False)


def check_preconditions(resource: Resource, subject: Json, options: DeleteOptions) -> None:
    """Refuse where the object is another, or another version of it, than was meant.

    Raises:
        RefusalError: it is.
    """
    metadata = subject["metadata"]
    for what, asked, known, how in (
        ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.resource_version, metadata["resourceVersion"], "modified"),
    ):
        if asked and asked != known:
            why = (
                f"the {what} in the precondition ({asked}) does not match the {what} in record ({known}). "
                f"The object might have been {how}"
            )
            # These name the kind, where all other conflicts name the resource.
            raise refusals.conflict(resource.group, resource.kind, metadata["name"], why)


def _grace_of(pod: Json, options: DeleteOptions) -> int:
    """Return the seconds that a pod gets: none where nothing of it runs, never more than it already has."""
    grace = options.grace
    if grace is None:
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
    if not pod["spec"].get("nodeName") or is_finished(pod):
        grace = 0
    if is_terminating(pod):
        grace = min(grace, pod["metadata"].get("deletionGracePeriodSeconds", 0))
        if options.grace is None:
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
    return max(0, grace)


def _finalizers(resource: Resource, subject: Json, options: DeleteOptions) -> list[str]:
    """Return the finalizers that are left to wait for."""
    its = [name for name in subject["metadata"].get("finalizers") or [] if name not in (FOREGROUND, ORPHAN)]
    had = subject["metadata"].get("finalizers") or []
    match options.propagation:
        case "Foreground":
            return [*its, FOREGROUND]
        case "Orphan":
            return [*its, ORPHAN]
        case "Background":
            return its
        case _:
            return had if resource is not kinds.PODS or had else []


def _marked(model: Model, subject: Json, options: DeleteOptions, finalizers: list[str]) -> Json:
    metadata = dict(subject["metadata"])
    if finalizers:
        metadata["finalizers"] = finalizers
    grace = options.grace or 0
    if not is_terminating(subject):
        metadata["deletionTimestamp"] = stamp(model.now() + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
    elif grace < metadata.get("deletionGracePeriodSeconds", 0):
        metadata["deletionTimestamp"] = stamp(model.now() + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
    return {**subject, "metadata": metadata}


def _last(subject: Json, options: DeleteOptions) -> Json:
    """Return an object as its watchers see it last."""
    if "deletionGracePeriodSeconds" in subject["metadata"] and not options.grace:
        return {**subject, "metadata": {**subject["metadata"], "deletionGracePeriodSeconds": 0}}
    return subject


def _terminate_namespace(model: Model, namespace: Json, options: DeleteOptions) -> Deleted:
    if is_terminating(namespace) or options.is_dry_run:
        return Deleted(object=namespace, is_gone=False)
    metadata = {**namespace["metadata"], "deletionTimestamp": stamp(model.now())}
    after = {**namespace, "metadata": metadata, "status": {**namespace["status"], "phase": "Terminating"}}
    return Deleted(object=model.store.put(kinds.NAMESPACES, after), is_gone=False)


def delete_if_there(model: Model, resource: Resource, subject: Json, options: DeleteOptions | None = None) -> None:
    """Delete an object that may be gone or another by now, as controllers do."""
    options = replace(options or DeleteOptions(), uid=subject["metadata"]["uid"])
    try:
        delete(model, resource, *key_of(subject), options)
    except refusals.RefusalError as refusal:
        if refusal.code not in (404, 409):
            raise
