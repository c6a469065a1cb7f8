"""What stands between a valid object and the store: its namespace, its quota, and the writer's preconditions."""

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import Json, is_terminating
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.store import Store


def admit_to_namespace(store: Store, resource: Resource, subject: Json) -> None:
    """Refuse what is to be in a namespace that is not there, or takes nothing new.

    Raises:
        RefusalError: it is so.
    """
    name = subject["metadata"]["namespace"]
    namespace = store.get(kinds.NAMESPACES, "", name)
    if namespace is None:
        raise refusals.not_found("", "namespaces", name)
    if is_terminating(namespace):
        its = subject["metadata"]["name"]
        refusal = refusals.forbidden(
            f'{refusals.qualified(resource.group, resource.plural)} "{its}" is forbidden: '
            f"unable to create new content in namespace {name} because it is being terminated",
            resource.group,
            resource.plural,
            its,
        )
        refusal.details["causes"] = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        raise refusal


def admit_to_quotas(store: Store, pod: Json) -> None:
    """Refuse a pod where a quota of the number of pods is used up.

    Raises:
        RefusalError: it is so.
    """
    namespace = pod["metadata"]["namespace"]
    for quota in store.all(kinds.QUOTAS, namespace):
        hard = quota.get("spec", {}).get("hard", {})
        for what in ("pods", "count/pods"):
            if what not in hard:
                continue
            used = sum(
                what != "pods" or other["status"].get("phase") not in ("Succeeded", "Failed")
                for other in store.all(kinds.PODS, namespace)
            )
            if used + 1 > int(hard[what]):
                name = pod["metadata"]["name"]
                raise refusals.forbidden(
                    f'pods "{name}" is forbidden: exceeded quota: {quota["metadata"]["name"]}, '
                    f"requested: {what}=1, used: {what}={used}, limited: {what}={hard[what]}",
                    "",
                    "pods",
                    name,
                )


def check_preconditions(resource: Resource, wanted: Json, before: Json, *, replaces: bool) -> None:
    """Refuse a change that was meant for another version; for another object, as the kind of request has it.

    Raises:
        RefusalError: it was.
    """
    asked, known, name = wanted["metadata"], before["metadata"], before["metadata"]["name"]
    is_other = asked.get("uid", known["uid"]) != known["uid"]
    if is_other and replaces:
        key = f"/registry/{resource.plural}/{known.get('namespace', '')}/{name}"
        why = (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {asked['uid']}, UID in object meta: {known['uid']}"
        )
        raise refusals.conflict(resource.group, resource.plural, name, why)
    if (asked.get("resourceVersion") or known["resourceVersion"]) != known["resourceVersion"]:
        raise refusals.conflict(resource.group, resource.plural, name)
    if is_other:
        text = f'Invalid value: "{asked["uid"]}": field is immutable'
        causes = [("metadata.uid", "FieldValueInvalid", text)]
        raise refusals.invalid(resource.group, resource.kind, name, causes)
