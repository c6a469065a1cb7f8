"""What the API server refuses of an object's content, as far as anything here may write it. Pure."""

import json
import re
from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.selectors import selects

Cause = tuple[str, str, str]
"""A field, a reason and a text."""

_REQUIRED, _INVALID, _FORBIDDEN = "FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden"
_LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_MUTABLE_POD_FIELDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_NO_DEADLINE = 2**31
_WORKLOADS = (kinds.DEPLOYMENTS, kinds.REPLICA_SETS, kinds.STATEFUL_SETS, kinds.DAEMON_SETS)


def check(resource: Resource, subject: Json) -> None:
    """Refuse an object that is not valid.

    Raises:
        RefusalError: with all that is wrong.
    """
    causes = [*_metadata(subject["metadata"])]
    if resource is kinds.PODS:
        causes += _containers(subject["spec"], "spec")
    if resource in _WORKLOADS:
        causes += _workload(subject["spec"])
    if resource is kinds.BUDGETS:
        causes += _budget(subject.get("spec") or {})
    _refuse(resource, subject, causes)


def check_update(resource: Resource, subject: Json, before: Json) -> None:
    """Refuse a change of what can't be changed.

    Raises:
        RefusalError: with all that is wrong.
    """
    causes: list[Cause] = []
    if resource is kinds.PODS and _fixed_of_pod(subject["spec"]) != _fixed_of_pod(before["spec"]):
        causes.append(("spec", _FORBIDDEN, f"Forbidden: {_MUTABLE_POD_FIELDS}"))
    if resource in _WORKLOADS and subject["spec"].get("selector") != before["spec"].get("selector"):
        text = f"Invalid value: {_shown(subject['spec'].get('selector'))}: field is immutable"
        causes.append(("spec.selector", _INVALID, text))
    _refuse(resource, subject, causes)


def _refuse(resource: Resource, subject: Json, causes: list[Cause]) -> None:
    if causes:
        raise refusals.invalid(resource.group, resource.kind, subject["metadata"]["name"], causes)


def _metadata(metadata: Json) -> list[Cause]:
    causes = []
    if not _NAME.match(metadata["name"]) and ":" not in metadata["name"]:
        causes.append(("metadata.name", _INVALID, f'Invalid value: "{metadata["name"]}": {_SUBDOMAIN}'))
    causes += [
        ("metadata.labels", _INVALID, f'Invalid value: "{value}": {_VALUE}')
        for value in (metadata.get("labels") or {}).values()
        if not _LABEL_VALUE.match(value)
    ]
    controllers = [owner for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
    if len(controllers) > 1:
        named = f"Controller set to true for {controllers[0]['kind']}/{controllers[0]['name']} and "
        text = f'Only one reference can have Controller set to true. Found "true" in references for {named}'
        causes.append(("metadata.ownerReferences", _INVALID, f"Invalid value: {text}"))
    return causes


def _containers(spec: Json, path: str) -> list[Cause]:
    containers = spec.get("containers")
    if not containers:
        return [(f"{path}.containers", _REQUIRED, "Required value")]
    return [
        (f"{path}.containers[{number}].{field}", _REQUIRED, "Required value")
        for number, container in enumerate(containers)
        for field in ("name", "image")
        if not container.get(field)
    ]


def _workload(spec: Json) -> list[Cause]:
    causes = []
    labels = spec["template"]["metadata"].get("labels") or {}
    if not spec.get("selector"):
        causes.append(("spec.selector", _REQUIRED, "Required value"))
    if not selects(spec.get("selector") or {}, labels) or not spec.get("selector"):
        text = f"Invalid value: {_shown(labels)}: `selector` does not match template `labels`"
        causes.append(("spec.template.metadata.labels", _INVALID, text))
    if spec.get("minReadySeconds", 0) >= spec.get("progressDeadlineSeconds", _NO_DEADLINE):
        text = f"Invalid value: {spec['progressDeadlineSeconds']}: must be greater than minReadySeconds"
        causes.append(("spec.progressDeadlineSeconds", _INVALID, text))
    return causes + _containers(spec["template"]["spec"], "spec.template.spec")


def _budget(spec: Json) -> list[Cause]:
    if "minAvailable" in spec and "maxUnavailable" in spec:
        return [
            ("spec", _INVALID, f"Invalid value: {_shown(spec)}: minAvailable and maxUnavailable cannot be both set")
        ]
    return []


def _fixed_of_pod(spec: Json) -> Json:
    fixed = {
        key: value
        for key, value in spec.items()
        if key not in ("tolerations", "activeDeadlineSeconds", "nodeName", "containers", "initContainers")
    }
    for kind in ("containers", "initContainers"):
        fixed[kind] = [{key: value for key, value in its.items() if key != "image"} for its in spec.get(kind) or ()]
    return fixed


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
