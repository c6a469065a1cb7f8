"""What the server says that it serves, in the old form and in the aggregated one. Pure."""

from collections.abc import Iterable

from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.requests import Answer, Request
from kubectl_safe.sandbox.cluster.resources import Resource, Resources

VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.0-embedded", "gitCommit": "", "platform": "python"}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

_SUBRESOURCES = {
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "binding": ("", "v1", "Binding", ("create",)),
}
_OF_ITS_OWN_KIND = ("get", "patch", "update")


def answer(resources: Resources, request: Request) -> Answer | None:
    """Return what a path of discovery says, or None where it is none."""
    parts = request.path.strip("/").split("/")
    if parts == ["version"]:
        return Answer(body=dict(VERSION))
    if len(parts) == 1 and parts[0] in ("readyz", "livez", "healthz"):
        return Answer(body="ok")
    if len(parts) == 1 and parts[0] in ("api", "apis"):
        return Answer(body=_root(parts[0], resources, request))
    return _of_group(parts, resources)


def _root(name: str, resources: Resources, request: Request) -> Json:
    """Return what there is under `/api`, which has the core group, or `/apis`, which has all others."""
    if wants_aggregated(request):
        return _aggregated(its for its in resources if bool(its.group) == (name == "apis"))
    if name == "api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    groups = [_group(group, resources) for group in _groups(resources)]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _of_group(parts: list[str], resources: Resources) -> Answer | None:
    match parts:
        case ["api", version]:
            return _list("", version, resources)
        case ["apis", group] if group in _groups(resources):
            return Answer(body={"kind": "APIGroup", "apiVersion": "v1", **_group(group, resources)})
        case ["apis", group, version]:
            return _list(group, version, resources)
        case _:
            return None


def wants_aggregated(request: Request) -> bool:
    """Tell whether discovery is asked for in one document."""
    return "as=APIGroupDiscoveryList" in request.accept and "v=v2," in f"{request.accept},"


def _groups(resources: Resources) -> list[str]:
    return list(dict.fromkeys(its.group for its in resources if its.group))


def _versions(group: str, resources: Iterable[Resource]) -> list[str]:
    return list(dict.fromkeys(its.version for its in resources if its.group == group))


def _group(name: str, resources: Resources) -> Json:
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in _versions(name, resources)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _list(group: str, version: str, resources: Resources) -> Answer | None:
    found = [its for its in resources if its.group == group and its.version == version]
    if not found:
        return None
    listed = [entry for resource in found for entry in _entries(resource)]
    return Answer(
        body={
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": found[0].api_version,
            "resources": listed,
        }
    )


def _entries(resource: Resource) -> list[Json]:
    whole: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.is_namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        whole["shortNames"] = list(resource.short_names)
    if resource.categories:
        whole["categories"] = list(resource.categories)
    return [whole, *(_entry(resource, name) for name in resource.subresources)]


def _entry(resource: Resource, name: str) -> Json:
    group, version, kind, verbs = _SUBRESOURCES.get(name, ("", "", resource.kind, _OF_ITS_OWN_KIND))
    entry: Json = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.is_namespaced,
        "kind": kind,
        "verbs": list(verbs),
    }
    if group:
        entry |= {"group": group, "version": version}
    return entry


def _aggregated(resources: Iterable[Resource]) -> Json:
    found = list(resources)
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [
                        _aggregated_entry(its) for its in found if (its.group, its.version) == (group, version)
                    ],
                }
                for version in _versions(group, found)
            ],
        }
        for group in dict.fromkeys(its.group for its in found)
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_entry(resource: Resource) -> Json:
    subresources = []
    for name in resource.subresources:
        group, version, kind, verbs = _SUBRESOURCES.get(
            name, (resource.group, resource.version, resource.kind, _OF_ITS_OWN_KIND)
        )
        subresources.append(
            {
                "subresource": name,
                "responseKind": {"group": group, "version": version, "kind": kind},
                "verbs": list(verbs),
            }
        )
    return {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.is_namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
        "subresources": subresources,
    }
