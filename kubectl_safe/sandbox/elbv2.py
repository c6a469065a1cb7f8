"""Target groups as Elastic Load Balancing keeps them: what is registered, how healthy it is, and what is draining.

Health comes from real checks through the pod network, and every call is kept in a journal. It must not know of
Kubernetes: its callers are the load balancer controller and whoever asks over HTTP.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.exchange import Answer, Fault, exchange
from kubectl_safe.sandbox.network import PodNetwork

REGION = "eu-west-1"
ACCOUNT = "123456789012"

# How long the data plane goes on with a target after its deregistration began (LBC issue 1064 for ALB).
DRAINING_LINGERS_SECONDS = 1.5
_REGISTRATION_SECONDS = 0.2
_STUCK_LOOK_SECONDS = 0.1


class Elbv2Error(Exception):
    """An error by its AWS code, such as `TargetGroupNotFound` or `Throttling`; `action` is the call that met it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.action = ""


CallFault = Callable[[str, str, str], Elbv2Error | None]
"""Takes a call's caller, action and group (its ARN; for DescribeTargetGroups ARNs and names, comma-separated)."""


def no_fault(_caller: str, _action: str, _group: str) -> Elbv2Error | None:
    """Return the error of a call where nothing is wrong."""
    return None


class Target(NamedTuple):
    """A target: the address of type `ip`, or the instance of type `instance`, and the port."""

    id: str
    port: int


class TargetHealth(NamedTuple):
    """A state with its reason and description, both empty where the state is `healthy`."""

    state: str
    reason: str = ""
    description: str = ""


REGISTERING = TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = TargetHealth("healthy")
DRAINING = TargetHealth("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = TargetHealth("unused", "Target.NotRegistered", "Target is not registered to the target group")


class Call(NamedTuple):
    """One API call: when (`time.time()`), by whom, what, on which group and targets, and the error it met."""

    time: float
    caller: str
    action: str
    group: str
    targets: tuple[Target, ...]
    error: str


class Transition(NamedTuple):
    """One change of a target's health, with its moment (`time.time()`)."""

    time: float
    group: str
    target: Target
    health: TargetHealth


@dataclass(slots=True)
class Registration:
    """A target in a group; `deregistered_at` is on the event loop's clock."""

    health: TargetHealth = REGISTERING
    was_healthy: bool = False
    deregistered_at: float | None = None
    checks: "asyncio.Task[None] | None" = None
    removal: asyncio.TimerHandle | None = None


@dataclass(slots=True, kw_only=True)
class TargetGroup:
    """A target group; times are in seconds.

    While it `drains_forever`, no target that is draining goes, whatever the delay says.
    """

    name: str
    port: int = 8080
    target_type: str = "ip"
    deregistration_delay: float = 10.0
    drains_forever: bool = False
    health_path: str = "/healthz"
    interval: float = 1.0
    timeout: float = 1.0
    healthy_threshold: int = 2
    unhealthy_threshold: int = 2
    attributes: dict[str, str] = field(default_factory=dict)
    protocol: str = "HTTP"
    protocol_version: str = "HTTP1"
    """How requests are sent to targets; groups that forward connections have none."""
    health_port: str = "traffic-port"
    is_behind: bool = True
    """Whether a load balancer sends requests to it."""
    crosses_zones: bool | None = None
    """What its load balancer says of cross-zone load balancing; None where that says what is usual for its type."""
    region: str = REGION
    account: str = ACCOUNT
    targets: dict[Target, Registration] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The group's ARN, the same for the same name."""
        suffix = hashlib.sha256(self.name.encode()).hexdigest()[:16]
        return f"arn:aws:elasticloadbalancing:{self.region}:{self.account}:targetgroup/{self.name}/{suffix}"

    @property
    def balancer(self) -> str:
        """The ARN of the load balancer that it is behind."""
        kind = "app" if self.protocol in {"HTTP", "HTTPS"} else "net"
        return self.arn.replace(":targetgroup/", f":loadbalancer/{kind}/")


class Elbv2:
    """All target groups of an account; `run` makes the health checks."""

    def __init__(self, network: PodNetwork) -> None:
        self._network = network
        self._tasks: asyncio.TaskGroup | None = None
        self.groups: dict[str, TargetGroup] = {}
        self.journal: list[Call] = []
        self.transitions: list[Transition] = []
        self.listeners: list[Callable[[Transition], None]] = []
        self.throttled_until = 0.0  # moment.time(); every call until then answers Throttling
        self.fault: CallFault = no_fault
        self.roles: dict[str, str] = {}
        """The external id of each IAM role (its ARN) that may be assumed; empty for none."""

    async def run(self) -> None:
        """Make the health checks until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            for group in self.groups.values():
                for registration in group.targets.values():
                    if registration.removal is not None:
                        registration.removal.cancel()

    def add(self, group: TargetGroup) -> TargetGroup:
        """Add a target group, as infrastructure code would."""
        self.groups[group.arn] = group
        return group

    def register(self, arn: str, targets: Sequence[Target], *, caller: str) -> None:
        """Register targets; one that is draining becomes an ordinary target again, checked anew."""
        group = self._enter(caller, "RegisterTargets", arn, targets)
        for target in targets:
            known = group.targets.get(target)
            if known is not None and known.deregistered_at is None:
                continue
            if known is not None and known.removal is not None:
                known.removal.cancel()
            registration = group.targets[target] = Registration()
            self._tell(group, target, registration, REGISTERING)
            if self._tasks is None:
                raise RuntimeError("Elbv2 registers targets only while it runs")
            registration.checks = self._tasks.create_task(self._check(group, target, registration))

    def deregister(self, arn: str, targets: Sequence[Target], *, caller: str) -> None:
        """Begin to drain targets; they are gone after the deregistration delay."""
        group = self._enter(caller, "DeregisterTargets", arn, targets)
        loop = asyncio.get_running_loop()
        for target in targets:
            registration = group.targets.get(target)
            if registration is None or registration.deregistered_at is not None:
                continue
            if registration.checks is not None:
                registration.checks.cancel()
            registration.deregistered_at = loop.time()
            self._tell(group, target, registration, DRAINING)
            registration.removal = loop.call_later(group.deregistration_delay, self._remove, group, target)

    def describe_target_health(
        self, arn: str, targets: Iterable[Target] = (), *, caller: str
    ) -> list[tuple[Target, TargetHealth]]:
        """Return the health of the targets that are named, or of all; only a named one is ever `unused`."""
        asked = tuple(targets)
        group = self._enter(caller, "DescribeTargetHealth", arn, asked)
        known = {target: registration.health for target, registration in group.targets.items()}
        return [(target, known.get(target, NOT_REGISTERED)) for target in asked or known]

    def describe_target_groups(
        self, arns: Sequence[str] = (), names: Sequence[str] = (), *, caller: str, within: str = ""
    ) -> list[TargetGroup]:
        """Return the groups that are named, or all, of a region and account (`REGION:ACCOUNT`) or of any."""
        self._admit(caller, "DescribeTargetGroups", ",".join((*arns, *names)), ())
        found = [
            group
            for group in self.groups.values()
            if f"{group.region}:{group.account}".startswith(within)
            and (not (arns or names) or group.arn in arns or group.name in names)
        ]
        if len(found) < len(arns) + len(names):
            raise Elbv2Error("TargetGroupNotFound", "One or more target groups not found")
        return found

    def describe_target_group_attributes(self, arn: str, *, caller: str) -> dict[str, str]:
        """Return the attributes of a group by name."""
        group = self._enter(caller, "DescribeTargetGroupAttributes", arn, ())
        return {
            "deregistration_delay.timeout_seconds": f"{group.deregistration_delay:g}",
            "stickiness.enabled": "false",
            "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
            **group.attributes,
        }

    def describe_load_balancer_attributes(self, balancer: str, *, caller: str) -> dict[str, str]:
        """Return the attributes of the load balancer with an ARN by name."""
        self._admit(caller, "DescribeLoadBalancerAttributes", "", ())
        behind = next((group for group in self.groups.values() if group.balancer == balancer), None)
        if behind is None:
            raise Elbv2Error("LoadBalancerNotFound", f"Load balancers '[{balancer}]' not found")
        usual = ":loadbalancer/app/" in balancer
        crosses = usual if behind.crosses_zones is None else behind.crosses_zones
        return {"load_balancing.cross_zone.enabled": "true" if crosses else "false"}

    def see(self, arn: str, *, within: str) -> None:
        """Refuse to know a group that is not of a region and account (`REGION:ACCOUNT`)."""
        if arn and f":elasticloadbalancing:{within}:" not in arn:
            raise Elbv2Error("TargetGroupNotFound", f"Target groups '{arn}' not found")

    def assume_role(self, role: str, external_id: str) -> str:
        """Return the account of a role that is assumed."""
        if self.roles.get(role) != external_id:
            raise Elbv2Error("AccessDenied", f"not authorized to perform: sts:AssumeRole on resource: {role}", 403)
        return role.split(":")[4]

    def arn_of(self, name: str) -> str:
        """Return the ARN of the group with a name; empty where there is none."""
        return next((group.arn for group in self.groups.values() if group.name == name), "")

    def refuse_write(self, action: str, arn: str, *, caller: str) -> Elbv2Error:
        """Journal a write that was asked for over HTTP, and return AWS's refusal."""
        message = f"User: {caller} is not authorized to perform: elasticloadbalancing:{action}"
        self._journal(caller, action, arn, (), "AccessDenied")
        return Elbv2Error("AccessDenied", message, 403)

    def routable(self, arn: str) -> list[Target]:
        """Return where requests go: what is healthy, or all that is registered, and what began to drain just now."""
        now = asyncio.get_running_loop().time()
        registered = {t: r for t, r in self.groups[arn].targets.items() if r.deregistered_at is None}
        healthy = [target for target, registration in registered.items() if registration.health == HEALTHY]
        lingering = [
            target
            for target, registration in self.groups[arn].targets.items()
            if registration.deregistered_at is not None
            and registration.was_healthy
            and now - registration.deregistered_at < DRAINING_LINGERS_SECONDS
        ]
        return (healthy or list(registered)) + lingering

    def _enter(self, caller: str, action: str, arn: str, targets: Iterable[Target]) -> TargetGroup:
        """Admit a call on a group and return the group."""
        self._admit(caller, action, arn, tuple(targets))
        return self.groups[arn]

    def _admit(self, caller: str, action: str, group: str, targets: tuple[Target, ...]) -> None:
        error = self.fault(caller, action, group)
        if error is None and moment.time() < self.throttled_until:
            error = Elbv2Error("Throttling", "Rate exceeded")
        if error is None and group.startswith("arn:") and "," not in group and group not in self.groups:
            error = Elbv2Error("TargetGroupNotFound", f"Target groups '{group}' not found")
        self._journal(caller, action, group, targets, error.code if error else "")
        if error is not None:
            error.action = action
            raise error

    def _journal(self, caller: str, action: str, group: str, targets: tuple[Target, ...], error: str) -> None:
        self.journal.append(Call(moment.time(), caller, action, group, targets, error))

    def _remove(self, group: TargetGroup, target: Target) -> None:
        if group.drains_forever:
            later = asyncio.get_running_loop().call_later(_STUCK_LOOK_SECONDS, self._remove, group, target)
            group.targets[target].removal = later
            return
        registration = group.targets.pop(target)
        self._tell(group, target, registration, NOT_REGISTERED)

    def _tell(self, group: TargetGroup, target: Target, registration: Registration, health: TargetHealth) -> None:
        if health == registration.health and health != REGISTERING:
            return
        registration.health = health
        registration.was_healthy = health == HEALTHY or (registration.was_healthy and health == DRAINING)
        transition = Transition(moment.time(), group.arn, target, health)
        self.transitions.append(transition)
        for listener in self.listeners:
            listener(transition)

    async def _check(self, group: TargetGroup, target: Target, registration: Registration) -> None:
        """Check a target's health for as long as it is registered."""
        await asyncio.sleep(_REGISTRATION_SECONDS)
        self._tell(group, target, registration, CHECKING)
        good = bad = 0
        while True:
            address = self._network.address(target.id, target.port)
            answer = await exchange(address, group.health_path, host=target.id, within=group.timeout)
            health = _judged(answer)
            good, bad = (good + 1, 0) if health == HEALTHY else (0, bad + 1)
            if good >= group.healthy_threshold or bad >= group.unhealthy_threshold:
                self._tell(group, target, registration, health)
            await asyncio.sleep(group.interval)


def _judged(answer: Answer) -> TargetHealth:
    """Return what one health check says of a target."""
    if answer.fault is Fault.TIMEOUT:
        return TargetHealth("unhealthy", "Target.Timeout", "Request timed out")
    if answer.fault is not None:
        return TargetHealth("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    if answer.status != 200:
        codes = f"Health checks failed with these codes: [{answer.status}]"
        return TargetHealth("unhealthy", "Target.ResponseCodeMismatch", codes)
    return HEALTHY
