"""What objects of several kinds have in common."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubectl_safe.model.pod import OwnerReference
from kubectl_safe.model.selector import LabelSelector, Operator, Requirement

Json = Mapping[str, Any]


LONGEST_NAME = 253
"""The API server takes no longer one (k8s.io/apimachinery, NameIsDNSSubdomain)."""


def check_name(raw: Json) -> None:
    """See to it that an object has a name such as an API server gives.

    Raises:
        ValueError: whatever answers is no API server; the name is not told, as it may be anything.
    """
    meta = raw["metadata"]
    for field in ("name", "namespace"):
        text = meta.get(field) or ""
        if not isinstance(text, str) or not text.isprintable():
            raise ValueError(f"an object has a {field} that is no name")
        if len(text) > LONGEST_NAME:
            raise ValueError(f"an object has a {field} of {len(text)} characters, and at most {LONGEST_NAME} are one")


def instant(text: str | None) -> datetime | None:
    """Return a `metav1.Time` or `MicroTime` as an instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def selector(raw: Json) -> LabelSelector:
    """Return a `metav1.LabelSelector`."""
    return LabelSelector(
        match_labels=raw.get("matchLabels") or {},
        match_expressions=tuple(
            Requirement(
                key=entry["key"], operator=Operator(entry["operator"]), values=frozenset(entry.get("values") or ())
            )
            for entry in raw.get("matchExpressions") or ()
        ),
    )


def owners(meta: Json) -> tuple[OwnerReference, ...]:
    """Return the owner references of an object's metadata."""
    return tuple(
        OwnerReference(
            api_version=owner["apiVersion"],
            kind=owner["kind"],
            name=owner["name"],
            uid=owner["uid"],
            is_controller=bool(owner.get("controller")),
        )
        for owner in meta.get("ownerReferences") or ()
    )


def default(value: Any, otherwise: Any) -> Any:
    """Return the default only for what is not told: 0 is a value."""
    return otherwise if value is None else value
