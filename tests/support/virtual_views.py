"""What the tool sees, waits for and writes with in virtual time, in place of its threads and connections."""

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from kubectl_safe.aws.schedule import Ask, Schedule, Spread
from kubectl_safe.decide.health import Wish
from kubectl_safe.kube.cache import Cache, Known, Signal
from kubectl_safe.kube.cluster import _SOURCES, NODES, Cluster
from kubectl_safe.kube.session import refusal
from kubectl_safe.kube.watch import Watcher
from kubectl_safe.model.target import State, Target, TargetGroup, TargetHealth
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.cluster.requests import Answer, Request, User
from kubectl_safe.sandbox.cluster.virtual import VirtualLoop
from kubectl_safe.sandbox.elbv2 import Elbv2
from kubectl_safe.sandbox.elbv2 import Target as Registered

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError

T = TypeVar("T")
OURS = User(name="kubectl-safe", groups=("system:masters",))
CALL_SECONDS = (0.001, 0.03)
EVENT_SECONDS = (0.001, 0.2)
ASK_SECONDS = (0.02, 0.3)


class VirtualSignal(Signal):
    """Wakes the run by stopping the event loop that it lets run while it waits."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        self._loop.stop()

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        changed = self._loop.run(self._loop.time() + timeout, lambda: self._is_set)
        self._is_set = False
        return changed


@dataclass
class _Response:
    """A refusal, as urllib3 would have it."""

    status: int
    data: bytes
    reason: str
    headers: Mapping[str, str]


class KilledError(BaseException):
    """The run's process is killed: nothing of it has a say any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """When a run is killed: at its n-th write in earnest, before the server has it or after."""

    at: int
    is_before: bool


@dataclass(kw_only=True)
class VirtualClient:
    """The tool's client of the embedded API server; each call takes its time, there and back."""

    loop: VirtualLoop
    control_plane: EmbeddedControlPlane
    random: Random
    clock_offset: timedelta = timedelta(0)
    server: str = "embedded"
    kill: Kill | None = None
    asked: list[tuple[float, Request, Answer]] = field(default_factory=list)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        self._pass()
        request = Request(
            method=method,
            path=path,
            query=query or {},
            body=json.loads(json.dumps(body)),
            content_type=content_type or "application/json",
            user=OURS,
        )
        is_last = self._is_last(request)
        if is_last and self.kill and self.kill.is_before:
            raise KilledError
        answer = self.control_plane.server.answer(request)
        self.asked.append((self.loop.time(), request, answer))
        if is_last:
            raise KilledError
        self._pass()
        assert isinstance(answer.body, dict)
        if answer.status >= 400:
            headers = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
            raise refusal(_Response(answer.status, json.dumps(answer.body).encode(), "", headers))
        return answer.body

    def _is_last(self, request: Request) -> bool:
        is_write = request.method != "GET" and not request.is_dry_run
        return is_write and self.kill is not None and sum(1 for _ in self.writes()) + 1 == self.kill.at

    def writes(self) -> Iterator[tuple[float, Request, Answer]]:
        """Yield what was written in earnest, whether it was accepted or not."""
        return (entry for entry in self.asked if entry[1].method != "GET" and not entry[1].is_dry_run)

    def _pass(self) -> None:
        self.loop.run(self.loop.time() + self.random.uniform(*CALL_SECONDS))


class VirtualWatcher(Generic[T]):
    """Keeps a cache from the embedded API server's own events, which come late, each kind for itself."""

    def __init__(
        self, client: VirtualClient, *, kind: str, path: str, parse: Callable[[Any], T], cache: Cache[T]
    ) -> None:
        self.kind = kind
        self.cache = cache
        self.is_live = False
        self.trouble = None
        self._client = client
        self._path = path
        self._parse = parse
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_due = False

    def start(self) -> None:
        listed = self._client.request("GET", self._path)
        version = listed["metadata"]["resourceVersion"]
        found = {known.uid: known for known in map(self.known, listed["items"])}
        self.cache.replace(found, int(version))
        query = {"watch": "true", "resourceVersion": version}
        request = Request(method="GET", path=self._path, query=query, user=OURS)
        self._watch = self._client.control_plane.server.watch(request, self._tell)
        self.is_live = True

    def stop(self) -> None:
        self._watch.close()

    def join(self) -> None:
        pass

    def known(self, raw: Mapping[str, Any]) -> Known[T]:
        return Known(raw["metadata"]["uid"], int(raw["metadata"]["resourceVersion"]), self._parse(raw))

    def _tell(self, event: dict[str, Any]) -> None:
        self._waiting.append(event)
        if not self._is_due:
            self._is_due = True
            self._client.loop.call_later(self._client.random.uniform(*EVENT_SECONDS), self._deliver)

    def _deliver(self) -> None:
        self._is_due = False
        while self._waiting:
            event = self._waiting.popleft()
            if event["type"] == "DELETED":
                self.cache.drop(event["object"]["metadata"]["uid"])
            else:
                self.cache.apply(self.known(event["object"]))


class VirtualCluster(Cluster):
    """The tool's watches, on virtual time."""

    def _watcher(self, kind: str) -> Watcher[Any]:
        api, parser = _SOURCES[kind]
        scope = f"/namespaces/{self.namespace}" if self.namespace and kind != NODES else ""
        client = cast("VirtualClient", self._client)
        made = VirtualWatcher(client, kind=kind, path=f"{api}{scope}/{kind}", parse=parser, cache=Cache(self._signal))
        return cast("Watcher[Any]", made)

    def _await(self, watcher: Watcher[Any]) -> None:
        assert watcher.is_live


class _Steady(Spread):
    def __init__(self, random: Random) -> None:
        self._random = random

    def factor(self) -> float:
        return self._random.uniform(1.0, 1.5)


class VirtualPoller:
    """Asks target groups as the tool's schedule has it, and tells their settings."""

    def __init__(self, elbv2: Elbv2, loop: VirtualLoop, signal: Signal, random: Random) -> None:
        self.health: dict[Target, TargetHealth] = {}
        self.errors: dict[str, str] = {}
        self.heard: dict[str, AwsError | None] = {}
        self._elbv2 = elbv2
        self._loop = loop
        self._signal = signal
        self._random = random
        self._schedule = Schedule(_Steady(random))
        self._next: Any = None

    def want(self, wishes: Mapping[str, Wish]) -> None:
        self._schedule.want(wishes)
        self._ask()

    def groups(self, arns: Iterable[str]) -> dict[str, TargetGroup]:
        return {
            arn: TargetGroup(
                arn=arn,
                deregistration_delay=timedelta(seconds=self._elbv2.groups[arn].deregistration_delay),
                health_check_interval=timedelta(seconds=self._elbv2.groups[arn].interval),
                healthy_threshold=self._elbv2.groups[arn].healthy_threshold,
            )
            for arn in arns
        }

    def _ask(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        now = self._loop.now()
        step = self._schedule.next(now)
        if isinstance(step, Ask):
            self._loop.call_later(self._random.uniform(*ASK_SECONDS), self._answer, step.group, step.targets)
            self._next = self._loop.call_later(0, self._ask)
        elif step.until is not None:
            self._next = self._loop.call_later(max(0.0, (step.until - now).total_seconds()), self._ask)

    def _answer(self, group: str, targets: Collection[Target]) -> None:
        at = self._loop.now()
        asked = [Registered(target.ip, target.port) for target in sorted(targets)]
        told = self._elbv2.describe_target_health(group, asked, caller="kubectl-safe")
        kept = {target: health for target, health in self.health.items() if target not in targets}
        self.health = kept | {
            Target(group=group, ip=its.id, port=its.port): TargetHealth(
                state=State(health.state), reason=health.reason, description=health.description, asked_at=at
            )
            for its, health in told
        }
        self.heard = {**self.heard, group: None}
        self._schedule.sent(group, at)
        self._schedule.answered(group)
        self._signal.set()
