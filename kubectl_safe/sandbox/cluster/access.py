"""Who may do what: role-based access as Roles and their bindings say, and the questions about it. Pure reads."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.requests import User
from kubectl_safe.sandbox.cluster.resources import Route

_MASTERS = "system:masters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What somebody wants to do."""

    verb: str
    group: str = ""
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def whole_resource(self) -> str:
        """The resource with its subresource, as rules name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def of_route(route: Route, verb: str) -> Attributes:
    """Return what a request wants to do."""
    return Attributes(
        verb=verb,
        group=route.resource.group,
        resource=route.resource.plural,
        subresource=route.subresource,
        # A namespace counts as being in itself.
        namespace=route.namespace or (route.name if route.resource is kinds.NAMESPACES else ""),
        name=route.name,
    )


def check(model: Model, user: User, asked: Attributes) -> None:
    """Refuse what a user may not do.

    Raises:
        RefusalError: they may not.
    """
    if is_allowed(model, user, asked):
        return
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    named = f' "{asked.name}"' if asked.name else ""
    message = (
        f"{refusals.qualified(asked.group, asked.resource)}{named} is forbidden: "
        f'User "{user.name}" cannot {asked.verb} resource "{asked.whole_resource}" '
        f'in API group "{asked.group}" {where}'
    )
    raise refusals.forbidden(message, asked.group, asked.resource, asked.name)


def is_allowed(model: Model, user: User, asked: Attributes) -> bool:
    """Tell whether a user may do something."""
    return _MASTERS in user.groups or any(_permits(rule, asked) for rule in _rules(model, user, asked.namespace))


def answer_review(model: Model, user: User, review: Json) -> Json:
    """Return a SelfSubjectAccessReview with its answer."""
    told = (review.get("spec") or {}).get("resourceAttributes") or {}
    asked = Attributes(
        verb=told.get("verb", ""),
        group=told.get("group", ""),
        resource=told.get("resource", ""),
        subresource=told.get("subresource", ""),
        namespace=told.get("namespace", ""),
        name=told.get("name", ""),
    )
    status: Json = {"allowed": is_allowed(model, user, asked)}
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": review.get("spec") or {},
        "status": status,
    }


def _rules(model: Model, user: User, namespace: str) -> Iterable[Json]:
    bindings = [(its, "") for its in model.all(kinds.CLUSTER_ROLE_BINDINGS)]
    if namespace:
        bindings += [(its, namespace) for its in model.all(kinds.ROLE_BINDINGS, namespace)]
    for binding, where in bindings:
        if any(_is_subject(subject, user) for subject in binding.get("subjects") or ()):
            reference = binding["roleRef"]
            if reference["kind"] == "ClusterRole":
                role = model.find(kinds.CLUSTER_ROLES, "", reference["name"])
            else:
                role = model.find(kinds.ROLES, where, reference["name"])
            yield from (role or {}).get("rules") or ()


def _is_subject(subject: Json, user: User) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in (*user.groups, "system:authenticated")
    return bool(subject["kind"] == "User" and subject["name"] == user.name)


def _permits(rule: Json, asked: Attributes) -> bool:
    names = rule.get("resourceNames")
    return (
        _has(rule.get("verbs"), asked.verb)
        and _has(rule.get("apiGroups"), asked.group)
        and (_has(rule.get("resources"), asked.whole_resource))
        and (not names or asked.name in names)
    )


def _has(values: list[str] | None, value: str) -> bool:
    return bool(values) and ("*" in (values or ()) or value in (values or ()))
