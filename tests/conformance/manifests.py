"""Objects to create, as small as they can be, and what is read of them."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def container(**values: Any) -> Json:
    return {"name": "app", "image": "sandbox.invalid/app:1", **values}


def a_pod(name: str, labels: Mapping[str, str] | None = None, **spec: Any) -> Json:
    return {
        "metadata": {"name": name, "labels": dict(labels or {"app": name})},
        "spec": {"containers": [container()], **spec},
    }


def a_template(name: str, **spec: Any) -> Json:
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container()], **spec}}


def deployment(name: str, replicas: int = 2, **spec: Any) -> Json:
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": a_template(name),
            **spec,
        },
    }


def a_service(name: str, selector: Mapping[str, str] | None = None, **spec: Any) -> Json:
    return {
        "metadata": {"name": name},
        "spec": {"selector": dict(selector or {"app": name}), "ports": [{"port": 80, "targetPort": 8080}], **spec},
    }


def labels(subject: Json) -> dict[str, str]:
    return subject["metadata"].get("labels") or {}


def owners(subject: Json) -> list[tuple[str, str, bool]]:
    """Return kind, name and whether it is the controller, of each owner."""
    return [
        (owner["kind"], owner["name"], bool(owner.get("controller")))
        for owner in subject["metadata"].get("ownerReferences") or ()
    ]


def name_of(subject: Json) -> str:
    return str(subject["metadata"]["name"])


def version(subject: Json) -> str:
    return str(subject["metadata"]["resourceVersion"])
