"""Values of the model with overrides, so that a test states only what it is about.

The cluster that they add up to: Workload `web` with 6 replicas on three nodes, behind Service `web`, which a
TargetGroupBinding `web` joins to a target group. Everything is in service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubectl_safe.decide.decision import Act, Blocked, Decision, Gone, Left, Skipped, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.pod import Condition, OwnerReference, Pod
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.service import Endpoint, Service, ServicePort
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.model.target import State, Target, TargetGroup, TargetGroupBinding, TargetHealth
from kubectl_safe.model.workload import ReplicaSet, Workload

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)
GATE = "target-health.elbv2.k8s.aws/web"
HASH = "pod-template-hash"
LABELS: Labels = {"app": "web", HASH: "5d4f8c7b9"}
REPLICAS = 6
NOT_REGISTERED = "Target.NotRegistered"


def ago(seconds: float) -> datetime:
    """Return an instant before NOW."""
    return NOW - timedelta(seconds=seconds)


def arn(group: str = "web") -> str:
    """Return the ARN of a target group."""
    return f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{group}/73e2d6bc24d8a067"


def uid(name: str) -> str:
    """Return the UID of what has this name."""
    return f"{name}-uid"


def an_owner(kind: str = "ReplicaSet", name: str = "web-5d4f8c7b9", api_version: str = "apps/v1") -> OwnerReference:
    """Return a controller."""
    return OwnerReference(api_version=api_version, kind=kind, name=name, uid=uid(name), is_controller=True)


def a_deployment(name: str = "web", **changes: Any) -> Workload:
    """Return a Deployment that is done with its last rollout."""
    selector = LabelSelector(match_labels={"app": name})
    replicas = changes.pop("replicas", REPLICAS)
    known = Workload(
        namespace="shop",
        name=name,
        uid=uid(name),
        selector=selector,
        replicas=replicas,
        max_surge=1,
        updated_replicas=replicas,
        status_replicas=replicas,
        ready_replicas=replicas,
        available_replicas=replicas,
    )
    return replace(known, **changes)


def a_replica_set(name: str = "web-5d4f8c7b9", *, of: str = "web", **changes: Any) -> ReplicaSet:
    """Return a ReplicaSet of a Deployment."""
    labels = {"app": of, HASH: name.rpartition("-")[2]}
    known = ReplicaSet(
        namespace="shop",
        name=name,
        uid=uid(name),
        resource_version="1",
        selector=LabelSelector(match_labels=labels),
        replicas=REPLICAS,
        owner=replace(reference_to(a_deployment(of)), is_controller=True),
    )
    return replace(known, **changes)


def a_pod(
    name: str = "web-1",
    *,
    ready: bool = True,
    released: bool = False,
    withdrawn: bool = False,
    terminating: bool = False,
    gates: Mapping[str, bool] = {GATE: True},
    labels: Labels = LABELS,
    controller: OwnerReference | None = None,
    of: str = "web",
    in_service: int = REPLICAS,
    since: datetime = LONG_AGO,
    **changes: Any,
) -> Pod:
    """Return a pod of Deployment `of`; `released` and `withdrawn` with what these steps leave on it."""
    owners: tuple[OwnerReference, ...] = (controller or an_owner(),)
    annotations: dict[str, str] = {}
    dropped = {}
    if released or withdrawn:
        dropped[HASH] = labels[HASH]
        owners = (reference_to(a_deployment(of)),)
    if withdrawn:
        dropped["app"] = labels["app"]
    if dropped:
        annotations[HANDOFF] = Handoff(dropped=dropped, in_service=in_service).dumps()
    left = {key: value for key, value in labels.items() if key not in dropped}
    is_up = {"ContainersReady": ready, **gates, "Ready": ready and all(gates.values())}
    known = Pod(
        namespace="shop",
        name=name,
        uid=uid(name),
        resource_version="1",
        labels={**left, WITHDRAWN: ""} if withdrawn else left,
        annotations=annotations,
        owners=owners,
        node="node-1",
        ips=(ip_of(name),),
        created=since,
        is_terminating=terminating,
        conditions={kind: Condition(is_true=is_true, since=since) for kind, is_true in is_up.items()},
        readiness_gates=tuple(gates),
    )
    return replace(known, **changes)


def ip_of(name: str) -> str:
    """Return a pod's address: one for each name."""
    number = int("".join(c for c in name if c.isdigit()) or "0")
    return f"10.244.{number // 250}.{number % 250 + 1}" if name.startswith("web") else f"10.245.0.{number + 1}"


def a_service(name: str = "web", *, selector: Labels | None = None, **changes: Any) -> Service:
    """Return a Service that selects by `app`."""
    wanted = {"app": name} if selector is None else selector
    port = ServicePort(name="http", port=80, target_port=8080)
    return replace(Service(namespace="shop", name=name, selector=wanted, ports=(port,)), **changes)


def an_endpoint(
    pod: Pod, service: str = "web", *, ready: bool = True, family: str = "IPv4", **changes: Any
) -> Endpoint:
    """Return a pod's place in a Service's EndpointSlice."""
    known = Endpoint(
        namespace="shop",
        service=service,
        slice=f"{service}-x7k2p",
        address_type=family,
        pod_uid=pod.uid,
        is_ready=ready,
        is_serving=ready,
    )
    return replace(known, **changes)


def a_binding(name: str = "web", **changes: Any) -> TargetGroupBinding:
    """Return a TargetGroupBinding of the Service with its name."""
    known = TargetGroupBinding(
        namespace="shop",
        name=name,
        resource_version="1",
        group=arn(name),
        target_type="ip",
        service=name,
        service_port=80,
    )
    return replace(known, **changes)


def a_group(name: str = "web", *, delay: float = 300) -> TargetGroup:
    """Return a target group with the default deregistration delay."""
    return TargetGroup(
        arn=arn(name),
        deregistration_delay=timedelta(seconds=delay),
        health_check_interval=timedelta(seconds=5),
        healthy_threshold=2,
    )


def a_budget(name: str = "web", *, selector: Labels | None = None, healthy: int = REPLICAS, **changes: Any) -> Budget:
    """Return a budget that lets one pod go."""
    wanted = LabelSelector(match_labels={"app": name} if selector is None else selector)
    known = Budget(
        namespace="shop",
        name=name,
        selector=wanted,
        disruptions_allowed=1,
        current_healthy=healthy,
        desired_healthy=healthy - 1,
    )
    return replace(known, **changes)


def a_target(name: str = "web-1", *, group: str = "web") -> Target:
    """Return what a pod is in a target group."""
    return Target(group=arn(group), ip=ip_of(name), port=8080)


def health(state: str = "healthy", reason: str = "", *, asked: float = 1) -> TargetHealth:
    """Return an answer of DescribeTargetHealth, given `asked` seconds ago."""
    return TargetHealth(state=State(state), reason=reason, asked_at=ago(asked))


def an_answer(*, allowed: bool = True, dry_run: bool = True, seconds: float = 1, message: str = "") -> EvictionAnswer:
    """Return what the Eviction API said some seconds ago."""
    return EvictionAnswer(at=ago(seconds), is_dry_run=dry_run, is_allowed=allowed, message=message)


def a_cluster(
    *changed: Pod,
    without: Iterable[str] = (),
    target_health: Mapping[str, TargetHealth | None] | None = None,
    answers: Mapping[str, EvictionAnswer] | None = None,
    **overrides: Any,
) -> Snapshot:
    """Return the cluster with pods put in the place of those with their names, or beside them.

    What goes with a pod follows from it: a Ready one is in its slices and healthy; a withdrawn one left both long
    enough ago to be evicted. The Eviction API has just allowed every pod to go. `target_health` changes that of
    the named pods, None forgets it.
    """
    pods = {name: a_pod(name) for name in (f"web-{n}" for n in range(1, REPLICAS + 1)) if name not in set(without)}
    pods |= {pod.name: pod for pod in changed}
    withdrawn = [pod for pod in pods.values() if pod.is_withdrawn]
    services = overrides.pop("services", (a_service(),))
    known = {a_target(pod.name): _likely_health(pod) for pod in pods.values()}
    for name, told in (target_health or {}).items():
        known.pop(a_target(name))
        if told is not None:
            known[a_target(name)] = told
    values: dict[str, Any] = {
        "at": NOW,
        "pods": {pod.uid: pod for pod in pods.values()},
        "replica_sets": {uid("web-5d4f8c7b9"): a_replica_set()},
        "workloads": {uid("web"): a_deployment()},
        "services": services,
        "endpoints": tuple(
            an_endpoint(pod, service.name, ready=pod.is_ready)
            for pod in pods.values()
            for service in services
            if service.selects(pod.namespace, pod.labels) and not pod.is_terminating
        ),
        "bindings": (a_binding(),),
        "groups": {arn(): a_group()},
        "health": known,
        "absent_since": {pod.uid: ago(20) for pod in withdrawn},
        "withdrawn_since": {pod.uid: ago(20) for pod in withdrawn},
        "answers": {pod.uid: an_answer() for pod in pods.values()}
        if answers is None
        else {uid(name): answer for name, answer in answers.items()},
    }
    return Snapshot(**values | overrides)


def _likely_health(pod: Pod) -> TargetHealth:
    if pod.is_withdrawn or not pod.has_ready_containers:
        return health("unused", NOT_REGISTERED)
    return health("draining") if pod.is_terminating else health()


def an_intent(
    snapshot: Snapshot,
    *names: str,
    settings: Settings | None = None,
    nodes: tuple[str, ...] = (),
    **flags: Any,
) -> Intent:
    """Return the plan to hand over these pods, or every `web-1` to `web-6` there is."""
    wanted = names or tuple(f"web-{n}" for n in range(1, REPLICAS + 1))
    pods = (pod for name in wanted if (pod := snapshot.pods.get(uid(name))))
    workload = reference_to(a_deployment())
    planned = (
        Planned(uid=p.uid, namespace=p.namespace, name=p.name, node=p.node or "", workload=workload) for p in pods
    )
    return Intent(pods=tuple(planned), settings=settings or Settings(**flags), nodes=nodes)


def decide(snapshot: Snapshot, *names: str, **flags: Any) -> Outcome:
    """Return what is decided on these pods, with these flags."""
    return next_actions(snapshot, an_intent(snapshot, *names, **flags))


def told(outcome: Outcome, name: str = "web-1") -> str:
    """Return a decision as tables write it: `Evict`, `wait for settle`, `blocked by adoption`, `gone`."""
    return in_words(outcome.decisions[uid(name)])


def in_words(decision: Decision) -> str:
    """Return a decision as tables write it."""
    match decision:
        case Act(action=action):
            return type(action).__name__
        case Wait(on=on):
            return f"wait for {on.value}"
        case Blocked(reason=reason):
            return f"blocked by {reason}"
        case Left():
            return "left"
        case Skipped():
            return "skipped"
        case Gone():
            return "gone"
