"""The resources that are served: their names, their subresources, and how a path leads to one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kubectl_safe.sandbox.cluster.objects import Json

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """A resource of the API; there is one object of each, so identity is equality.

    `counts_generations` tells whether a change of its spec raises `metadata.generation`; a custom resource knows no
    strategic merge.
    """

    group: str = ""
    version: str = "v1"
    plural: str
    kind: str
    is_namespaced: bool = True
    subresources: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    counts_generations: bool = False
    is_custom: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    """Printer columns: title and path."""

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The name of one."""
        return self.kind.lower()

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be done with it."""
        return ("create",) if self.plural.startswith("selfsubject") else _ALL


def _core(plural: str, kind: str, **values: object) -> Resource:
    return Resource(plural=plural, kind=kind, **values)  # type: ignore[arg-type]


def _apps(plural: str, kind: str, *short: str, scales: bool = True) -> Resource:
    return Resource(
        group="apps",
        plural=plural,
        kind=kind,
        short_names=short,
        categories=("all",),
        subresources=("scale", "status") if scales else ("status",),
        counts_generations=True,
    )


PODS = _core(
    "pods",
    "Pod",
    short_names=("po",),
    categories=("all",),
    subresources=("binding", "eviction", "status"),
    counts_generations=True,
)
NODES = _core("nodes", "Node", is_namespaced=False, short_names=("no",), subresources=("status",))
NAMESPACES = _core(
    "namespaces", "Namespace", is_namespaced=False, short_names=("ns",), subresources=("finalize", "status")
)
SERVICES = _core("services", "Service", short_names=("svc",), categories=("all",), subresources=("status",))
EVENTS = _core("events", "Event", short_names=("ev",))
CONFIG_MAPS = _core("configmaps", "ConfigMap", short_names=("cm",))
QUOTAS = _core("resourcequotas", "ResourceQuota", short_names=("quota",), subresources=("status",))
CLAIMS = _core("persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), subresources=("status",))
VOLUMES = _core(
    "persistentvolumes", "PersistentVolume", is_namespaced=False, short_names=("pv",), subresources=("status",)
)
REPLICATION_CONTROLLERS = _core(
    "replicationcontrollers",
    "ReplicationController",
    short_names=("rc",),
    categories=("all",),
    subresources=("scale", "status"),
    counts_generations=True,
)
DEPLOYMENTS = _apps("deployments", "Deployment", "deploy")
REPLICA_SETS = _apps("replicasets", "ReplicaSet", "rs")
STATEFUL_SETS = _apps("statefulsets", "StatefulSet", "sts")
DAEMON_SETS = _apps("daemonsets", "DaemonSet", "ds", scales=False)
REVISIONS = Resource(group="apps", plural="controllerrevisions", kind="ControllerRevision")
JOBS = Resource(
    group="batch",
    plural="jobs",
    kind="Job",
    categories=("all",),
    subresources=("status",),
    counts_generations=True,
)
BUDGETS = Resource(
    group="policy",
    plural="poddisruptionbudgets",
    kind="PodDisruptionBudget",
    short_names=("pdb",),
    subresources=("status",),
    counts_generations=True,
)
AUTOSCALERS = Resource(
    group="autoscaling",
    version="v2",
    plural="horizontalpodautoscalers",
    kind="HorizontalPodAutoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=("status",),
)
SLICES = Resource(group="discovery.k8s.io", plural="endpointslices", kind="EndpointSlice", counts_generations=True)
LEASES = Resource(group="coordination.k8s.io", plural="leases", kind="Lease")
NETWORK_POLICIES = Resource(group="networking.k8s.io", plural="networkpolicies", kind="NetworkPolicy")
DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    is_namespaced=False,
    short_names=("crd",),
    subresources=("status",),
)
WEBHOOKS = Resource(
    group="admissionregistration.k8s.io",
    plural="mutatingwebhookconfigurations",
    kind="MutatingWebhookConfiguration",
    is_namespaced=False,
)
ACCESS_REVIEWS = Resource(
    group="authorization.k8s.io",
    plural="selfsubjectaccessreviews",
    kind="SelfSubjectAccessReview",
    is_namespaced=False,
)
_RBAC = [
    Resource(group="rbac.authorization.k8s.io", plural=plural, kind=kind, is_namespaced=is_namespaced)
    for plural, kind, is_namespaced in (
        ("roles", "Role", True),
        ("rolebindings", "RoleBinding", True),
        ("clusterroles", "ClusterRole", False),
        ("clusterrolebindings", "ClusterRoleBinding", False),
    )
]
ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS = _RBAC

_BUILT_IN = (
    PODS,
    NODES,
    NAMESPACES,
    SERVICES,
    EVENTS,
    CONFIG_MAPS,
    QUOTAS,
    CLAIMS,
    VOLUMES,
    REPLICATION_CONTROLLERS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    REVISIONS,
    JOBS,
    BUDGETS,
    AUTOSCALERS,
    SLICES,
    LEASES,
    NETWORK_POLICIES,
    DEFINITIONS,
    WEBHOOKS,
    ACCESS_REVIEWS,
    *_RBAC,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path leads to; no name means the collection."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(slots=True)
class Resources:
    """All resources that are served; definitions add to them."""

    _by_path: dict[tuple[str, str, str], Resource] = field(
        default_factory=lambda: {(its.group, its.version, its.plural): its for its in _BUILT_IN}
    )

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of an object; any version of its group will do, as for owner references."""
        group = api_version.rpartition("/")[0]
        return next((its for its in self if its.kind == kind and its.group == group), None)

    def define(self, definition: Json) -> None:
        """Serve what a CustomResourceDefinition defines."""
        spec = definition["spec"]
        for version in spec["versions"]:
            if version.get("served", True):
                resource = Resource(
                    group=spec["group"],
                    version=version["name"],
                    plural=spec["names"]["plural"],
                    kind=spec["names"]["kind"],
                    is_namespaced=spec["scope"] == "Namespaced",
                    short_names=tuple(spec["names"].get("shortNames", ())),
                    subresources=tuple(version.get("subresources", ())),
                    counts_generations=True,
                    is_custom=True,
                    columns=tuple(
                        (column["name"], column["jsonPath"])
                        for column in version.get("additionalPrinterColumns", ())
                        if column["type"] != "date"
                    ),
                )
                self._by_path[resource.group, resource.version, resource.plural] = resource

    def route(self, path: str) -> Route | None:
        """Return what a path leads to, or None where nothing is."""
        match path.strip("/").split("/"):
            case ["api", version, *rest] if rest:
                return self._route("", version, rest)
            case ["apis", group, version, *rest] if rest:
                return self._route(group, version, rest)
            case _:
                return None

    def _route(self, group: str, version: str, rest: list[str]) -> Route | None:
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and not (not group and rest[2] in NAMESPACES.subresources):
            namespace, rest = rest[1], rest[2:]
        resource = self._by_path.get((group, version, rest[0]))
        if resource is None or len(rest) > 3 or bool(namespace) > resource.is_namespaced:
            return None
        name, subresource = (*rest[1:], "", "")[:2]
        if subresource and subresource not in resource.subresources:
            return None
        return Route(resource=resource, namespace=namespace, name=name, subresource=subresource)
