"""Which pods of a node a drain moves: `kubectl drain`'s own filters, in its order and with its words.

Source: k8s.io/kubectl/pkg/drain/filters.go. Each filter looks at one pod and either passes it on or has the last word.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kubectl_safe.decide.allow import UNKNOWN_OWNER
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.owners import without_handoff, workload_of
from kubectl_safe.decide.step import skipped
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot

DAEMON_SET_FATAL = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
DAEMON_SET_WARNING = "ignoring DaemonSet-managed Pods"
LOCAL_STORAGE_FATAL = "Pods with local storage (use --delete-emptydir-data to override)"
LOCAL_STORAGE_WARNING = "deleting Pods with local storage"
UNMANAGED_FATAL = "Pods that declare no controller (use --force to override)"
UNMANAGED_WARNING = "deleting Pods that declare no controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of a drain that choose pods."""

    ignore_daemon_sets: bool = False
    delete_empty_dir_data: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """The pod is moved, perhaps with a word of warning."""

    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The pod stays."""

    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The pod stands in the way of the whole drain."""

    why: str


Choice = Take | Skip | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """What a drain of one node would do."""

    node: str
    pods: tuple[Planned, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """In kubectl's words, one a reason."""
    blocked: Mapping[str, Blocked] = field(default_factory=dict)
    """Pods that can't be made safe, by `namespace/name`."""


def plan_node(
    node: str,
    pods: Iterable[Pod],
    snapshot: Snapshot,
    options: Options,
    *,
    missing_daemon_sets: frozenset[tuple[str, str]] = frozenset(),
    allow: frozenset[str] = frozenset(),
    skip_wait: timedelta | None = None,
) -> NodePlan:
    """Choose among the pods of a node, given in the API server's order.

    `missing_daemon_sets` are those (namespace, name) that pods name as their controller and that don't exist; `allow`
    is what the reader answers for; `skip_wait` is how long pods may have been terminating.
    """
    filters: tuple[Callable[[Pod], Choice], ...] = (
        lambda pod: Skip() if skipped(pod, skip_wait, snapshot.at) else Take(),
        lambda pod: _daemon_set_filter(pod, options, missing_daemon_sets),
        _mirror_pod_filter,
        lambda pod: _local_storage_filter(pod, options),
        lambda pod: _unreplicated_filter(pod, options),
    )
    planned, blocked = [], {}
    warnings: dict[str, list[str]] = {}
    errors: dict[str, list[str]] = {}
    for pod in pods:
        choices = _choose(pod, filters)
        for choice in choices:
            if isinstance(choice, Take | Skip) and choice.warning:
                warnings.setdefault(choice.warning, []).append(str(pod))
        match choices[-1]:
            case Refuse(why=why):
                errors.setdefault(why, []).append(str(pod))
                continue
            case Skip():
                continue
            case Take():
                pass
        owner = _owner_of(pod, snapshot, allow)
        if isinstance(owner, Blocked):
            blocked[str(pod)] = owner
        else:
            planned.append(Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node=node, workload=owner))
    return NodePlan(
        node=node,
        pods=tuple(planned),
        warnings=tuple(f"{words}: {', '.join(names)}" for words, names in warnings.items()),
        errors=tuple(f"cannot delete {words}: {', '.join(names)}" for words, names in errors.items()),
        blocked=blocked,
    )


def _owner_of(pod: Pod, snapshot: Snapshot, allow: frozenset[str]) -> OwnerReference | Blocked | None:
    """Return the workload that is to replace a pod; None where none is waited for."""
    owner = None if without_handoff(pod) else workload_of(pod, snapshot)
    return None if isinstance(owner, Blocked) and UNKNOWN_OWNER in allow else owner


def _choose(pod: Pod, filters: Iterable[Callable[[Pod], Choice]]) -> list[Choice]:
    """Return what the filters say up to the first refusal or skip; kubectl keeps only the last one's warning."""
    choices: list[Choice] = []
    for look in filters:
        choices.append(look(pod))
        if not isinstance(choices[-1], Take):
            break
    return choices


def _daemon_set_filter(pod: Pod, options: Options, missing: frozenset[tuple[str, str]]) -> Choice:
    controller = pod.controller
    if controller is None or (controller.api_version, controller.kind) != ("apps/v1", "DaemonSet") or pod.is_finished:
        return Take()
    if (pod.namespace, controller.name) in missing:
        not_found = f'daemonsets.apps "{controller.name}" not found'
        return Take(warning=not_found) if options.force else Refuse(why=not_found)
    return Skip(warning=DAEMON_SET_WARNING) if options.ignore_daemon_sets else Refuse(why=DAEMON_SET_FATAL)


def _mirror_pod_filter(pod: Pod) -> Choice:
    return Skip() if pod.is_mirror else Take()


def _local_storage_filter(pod: Pod, options: Options) -> Choice:
    if not pod.has_empty_dir or pod.is_finished:
        return Take()
    return Take(warning=LOCAL_STORAGE_WARNING) if options.delete_empty_dir_data else Refuse(why=LOCAL_STORAGE_FATAL)


def _unreplicated_filter(pod: Pod, options: Options) -> Choice:
    # A pod that we released has no controller because of us; its workload is its plain owner.
    if pod.is_finished or pod.controller is not None or pod.is_released:
        return Take()
    return Take(warning=UNMANAGED_WARNING) if options.force else Refuse(why=UNMANAGED_FATAL)
