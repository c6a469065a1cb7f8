"""Label and field selectors. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster.objects import Json

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]

_SET = re.compile(r"^\s*(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s=!]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s=!]*)\s*$")
_PRESENT = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s=!()]+)\s*$")
_TOP_LEVEL_COMMA = re.compile(r",(?![^(]*\))")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "nodes": ("spec.unschedulable",),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "namespaces": ("status.phase",),
    "replicasets": ("status.replicas",),
    "jobs": ("status.successful",),
    "services": ("spec.clusterIP", "spec.type"),
}
"""The fields that can be selected by, beside name and namespace, by resource."""


def parse_labels(text: str) -> Matches:
    """Return what a `labelSelector` parameter selects."""
    terms = [_term(part) for part in _TOP_LEVEL_COMMA.split(text) if part.strip()]
    return lambda labels: all(term(labels) for term in terms)


def of_selector(selector: Json | None) -> Matches:
    """Return what a `metav1.LabelSelector` selects: everything where it is empty, nothing where there is none."""
    if selector is None:
        return lambda _labels: False
    wanted = (selector.get("matchLabels") or {}).items()
    terms = [
        _requirement(its["key"], its["operator"], its.get("values") or [])
        for its in selector.get("matchExpressions") or ()
    ]
    return lambda labels: wanted <= labels.items() and all(term(labels) for term in terms)


def selects(selector: Json | None, labels: Labels) -> bool:
    """Tell whether a `metav1.LabelSelector` selects labels."""
    return of_selector(selector)(labels)


def parse_fields(text: str, plural: str) -> Callable[[Json], bool]:
    """Return what a `fieldSelector` parameter selects of a resource."""
    terms: list[tuple[str, bool, str]] = []
    for part in filter(None, text.split(",")):
        field, operator, value = _split_field(part)
        if field not in ("metadata.name", "metadata.namespace", *FIELDS.get(plural, ())):
            raise refusals.bad_request(f"field label not supported: {field}")
        terms.append((field, operator != "!=", value))
    return lambda subject: all((field_of(subject, field) == value) is is_equal for field, is_equal, value in terms)


def field_of(subject: Json, path: str) -> str:
    """Return a field's value as field selectors compare it."""
    value: Any = subject
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if path == "source":
        value = (subject.get("source") or {}).get("component") or subject.get("reportingComponent")
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)


def _split_field(part: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        field, found, value = part.partition(operator)
        if found:
            return field, operator, value
    raise refusals.bad_request(f"unable to parse field selector: invalid selector: '{part}'; can't understand '{part}'")


def _term(part: str) -> Matches:
    if found := _SET.match(part):
        values = [value.strip() for value in found["values"].split(",")]
        return _requirement(found["key"], "In" if found["operator"] == "in" else "NotIn", values)
    if found := _EQUAL.match(part):
        return _requirement(found["key"], "NotIn" if found["operator"] == "!=" else "In", [found["value"]])
    if found := _PRESENT.match(part):
        return _requirement(found["key"], "DoesNotExist" if found["not"] else "Exists", [])
    raise refusals.bad_request(f"unable to parse requirement: found '{part.strip()}'")


def _requirement(key: str, operator: str, values: list[str]) -> Matches:
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
        case "Gt":
            return lambda labels: key in labels and int(labels[key]) > int(values[0])
        case "Lt":
            return lambda labels: key in labels and int(labels[key]) < int(values[0])
        case _:
            raise refusals.bad_request(f'"{operator}" is not a valid label selector operator')
