"""The AWS Load Balancer Controller's part: keeps target groups as their Services have endpoints, and sets gates.

It follows pkg/targetgroupbinding/resource_manager.go of version 3, faults included: one that fails to deregister does
not register, a healthy target is not looked at for five minutes, and only a poll or an event makes it look at others.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from kubectl_safe.sandbox import targetgroupbinding
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.bindings import Bindings
from kubectl_safe.sandbox.elbv2 import HEALTHY, REGISTERING, Elbv2, Elbv2Error, Target, TargetHealth
from kubectl_safe.sandbox.endpoints import Endpoint, has_gate, resolve, resolve_nodes, service_port
from kubectl_safe.sandbox.gates import BINDING_DELETED, set_gate
from kubectl_safe.sandbox.informer import Informer, Key, Object, key_of
from kubectl_safe.sandbox.recorder import Recorder
from kubectl_safe.sandbox.targetgroupbinding import FINALIZER, GATE_PREFIX, Binding
from kubectl_safe.sandbox.targets import Targets, sdk_words

SERVICE_LABEL = "kubernetes.io/service-name"

COMPONENT = "targetGroupBinding"
"""Who its Events say reports them: the name that its main.go gives the recorder."""

_FIRST_RETRY_SECONDS = 0.005
_LONGEST_RETRY_SECONDS = 1000.0


class Controller:
    """Reconciles all bindings of a cluster; `gate_poll` is in seconds."""

    def __init__(
        self,
        api: Api,
        elbv2: Elbv2,
        *,
        gate_poll: float = 15.0,
        binding_groups: Sequence[str] = (targetgroupbinding.GROUP,),
    ) -> None:
        self.bindings = Bindings(api, binding_groups)
        self.services = Informer(api, "/api/v1/services")
        self.slices = Informer(api, "/apis/discovery.k8s.io/v1/endpointslices")
        self.pods = Informer(api, "/api/v1/pods")
        self.nodes = Informer(api, "/api/v1/nodes")
        self.gate_poll = gate_poll
        self._api = api
        self._elbv2 = elbv2
        self._targets = Targets(elbv2)
        self._registered: dict[str, set[Target]] = {}
        """What it has registered in groups (ARNs) that other clusters share; it keeps this in ConfigMaps."""
        self._recorder = Recorder(api, COMPONENT)
        self._workers: asyncio.TaskGroup | None = None
        self._work: dict[Key, _Work] = {}
        self._leading = asyncio.Event()
        self._losing = asyncio.Event()
        self._pause = 0.0
        self.bindings.listen(self._binding_changed)
        self.services.handlers.append(self._service_changed)
        self.slices.handlers.append(self._slice_changed)
        self.pods.handlers.append(self._pod_changed)
        self.nodes.handlers.append(self._node_changed)

    async def run(self) -> None:
        """Reconcile until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            informers = (self.services, self.slices, self.pods, self.nodes)
            for followed in (self.bindings, *informers):
                tasks.create_task(followed.run())
            await self.bindings.sync()
            for informer in informers:
                await informer.synced.wait()
            while True:
                await self._lead()
                await asyncio.sleep(self._pause)

    async def leading(self) -> None:
        """Wait until it leads: until its caches are filled, or until another leader has taken over."""
        await self._leading.wait()

    @property
    def is_idle(self) -> bool:
        """Whether no binding waits to be looked at again: it takes an event to set the next poll."""
        return all(work.due is None and not work.wake.is_set() for work in self._work.values())

    def look(self, namespace: str, name: str) -> None:
        """Have a binding reconciled at once, as an event on it does."""
        if (namespace, name) in self.bindings.objects:
            self._enqueue((namespace, name))

    async def restart_leader(self, pause: float = 18.0) -> None:
        """Lose the leader and all it remembers; for so many seconds nothing happens."""
        self._pause = pause
        self._leading.clear()
        self._losing.set()
        await self._leading.wait()

    async def _lead(self) -> None:
        """Work off the bindings until the leader is lost."""
        self._losing.clear()
        self._targets = Targets(self._elbv2)
        try:
            async with asyncio.TaskGroup() as self._workers:
                for key in self.bindings.objects:
                    self._enqueue(key)
                self._leading.set()
                await self._losing.wait()
                for work in self._work.values():
                    work.task.cancel()
        finally:
            self._workers = None
            self._work.clear()

    def _enqueue(self, key: Key) -> None:
        """Have a binding reconciled at once, also where it waits for a retry."""
        if self._workers is None or self._losing.is_set():
            return  # the next leader begins with all bindings
        if key not in self._work:
            work = self._work[key] = _Work()
            work.task = self._workers.create_task(self._work_off(key, work))
        self._work[key].wake.set()

    async def _work_off(self, key: Key, work: "_Work") -> None:
        """Reconcile one binding whenever it is due, until it is gone."""
        clock = asyncio.get_running_loop().time
        while key in self.bindings.objects:
            await work.is_due()
            try:
                again = await self._reconcile(key)
            except (Elbv2Error, ApiError) as error:
                work.failures += 1
                await self._tell(key, error)
                again = min(_FIRST_RETRY_SECONDS * 2 ** min(work.failures, 20), _LONGEST_RETRY_SECONDS)
            else:
                if work.failures and (subject := self.bindings.objects.get(key)):
                    await self._recorder.tell(subject, "SuccessfullyReconciled", "Successfully reconciled")
                work.failures = 0
            # What is due sooner stays due, as in a delaying work queue.
            if again is not None:
                work.due = min(work.due or clock() + again, clock() + again)
        del self._work[key]

    async def _tell(self, key: Key, error: Elbv2Error | ApiError) -> None:
        """Tell of a failed reconciliation on its binding.

        Under FailedReconcile it does so since https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/4571.
        """
        if (subject := self.bindings.objects.get(key)) is None:
            return
        words = sdk_words(error) if isinstance(error, Elbv2Error) else str(error)
        if "deletionTimestamp" in subject["metadata"]:
            await self._recorder.warn(subject, "FailedCleanup", f"Failed cleanup due to {words}")
        else:
            await self._recorder.warn(subject, "FailedReconcile", f"Failed reconcile due to {words}")

    async def _reconcile(self, key: Key) -> float | None:
        """Bring one target group up to date; return after how many seconds to look again, if at all."""
        if key not in self.bindings.objects:
            return None
        subject = self.bindings.objects[key]
        binding = targetgroupbinding.parse(subject)
        if not binding.arn:
            binding = replace(binding, arn=self._elbv2.arn_of(binding.group_name))
        if binding.is_deleted:
            await self._clean_up(binding)
            await self._set_finalizers(subject, [])
            return None
        if FINALIZER not in subject["metadata"].get("finalizers", []):
            await self._set_finalizers(subject, [FINALIZER])
        again = await self._reconcile_targets(binding)
        if binding.observed_generation != binding.generation:
            status = {"status": {"observedGeneration": binding.generation}}
            await self._api.patch(f"{binding.path}/status", status, kind="merge-patch")
        return again

    async def _reconcile_targets(self, binding: Binding) -> float | None:
        service = self.services.objects.get((binding.namespace, binding.service))
        port = service_port(service, binding.port) if service else None
        if port is None:
            await self._clean_up(binding)
            return None
        if binding.target_type == "instance":
            await self._bring_up_to_date(binding, resolve_nodes(port, self.nodes.objects, binding.node_selector))
            return None
        slices = [
            listing
            for listing in self.slices.of(binding.namespace)
            if listing["metadata"].get("labels", {}).get(SERVICE_LABEL) == binding.service
            and listing["addressType"] == ("IPv6" if binding.is_ipv6 else "IPv4")
        ]
        endpoints, may_grow = resolve(port, slices, self.pods.objects, self.nodes.objects, gate=binding.gate)
        health = await self._bring_up_to_date(binding, endpoints)
        is_waiting = await self._set_gates(binding, endpoints, health)
        return self.gate_poll if is_waiting or may_grow else None

    async def _bring_up_to_date(
        self, binding: Binding, wanted: Collection[Target]
    ) -> dict[Target, TargetHealth | None]:
        """Deregister what doesn't belong in a group, then register what does; return what is known of their health."""
        known = await self._list(binding)
        registered = {t: health for t, health in known.items() if health is None or health.state != "draining"}
        if unmatched := [target for target in registered if target not in wanted]:
            await self._targets.deregister(binding.arn, unmatched)
        if added := [target for target in wanted if target not in registered]:
            self._registered.setdefault(binding.arn, set()).update(added)
            await self._targets.register(binding.arn, added)
        return {**registered, **dict.fromkeys(added, REGISTERING)}

    async def _list(self, binding: Binding) -> dict[Target, TargetHealth | None]:
        """Return the targets of a group that a binding has to do with."""
        known = await self._targets.list(binding.arn)
        ours = self._registered.get(binding.arn, set())
        return {target: health for target, health in known.items() if target in ours or not binding.is_shared}

    async def _set_gates(
        self, binding: Binding, endpoints: dict[Target, Endpoint], known: dict[Target, TargetHealth | None]
    ) -> bool:
        """Set the gate of each pod by its target's health; return whether any is not True."""
        is_waiting = False
        for endpoint in endpoints.values():
            if has_gate(endpoint.pod, binding.gate):
                health = known[endpoint.target]
                await set_gate(self._api, endpoint.pod, binding.gate, health)
                is_waiting = is_waiting or health is None or health.state != HEALTHY.state
        return is_waiting

    async def _clean_up(self, binding: Binding) -> None:
        """Deregister all that a binding had registered, and let its pods be ready without it."""
        known = await self._list(binding)
        if known:
            await self._targets.deregister(binding.arn, list(known))
        for pod in self.pods.of(binding.namespace):
            if has_gate(pod, binding.gate):
                await set_gate(self._api, pod, binding.gate, BINDING_DELETED)

    async def _set_finalizers(self, subject: Object, wanted: list[str]) -> None:
        metadata = subject["metadata"]
        others = [its for its in metadata.get("finalizers", []) if its != FINALIZER]
        body = {"metadata": {"finalizers": others + wanted, "resourceVersion": metadata["resourceVersion"]}}
        try:
            await self._api.patch(targetgroupbinding.parse(subject).path, body, kind="merge-patch")
        except ApiError as error:
            if error.status != 404:
                raise

    def _binding_changed(self, old: Object | None, new: Object | None) -> None:
        if changed := new or old:
            self._enqueue(key_of(changed))

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        if (changed := new or old) and (old is None or new is None or old["spec"] != new["spec"]):
            self._enqueue_of_service(*key_of(changed))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        is_same = old is not None and new is not None and _content(old) == _content(new)
        if (changed := new or old) and not is_same:
            self._enqueue_of_service(
                changed["metadata"]["namespace"], changed["metadata"].get("labels", {}).get(SERVICE_LABEL, "")
            )

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """Enqueue the bindings of a pod's gates where anything changed that the controller keeps of a pod."""
        is_same = old is not None and new is not None and _info(old) == _info(new)
        if (changed := new or old) and not is_same:
            for gate in changed["spec"].get("readinessGates") or []:
                if gate["conditionType"].startswith(GATE_PREFIX):
                    name = gate["conditionType"].rpartition("/")[2]
                    if (key := (changed["metadata"]["namespace"], name)) in self.bindings.objects:
                        self._enqueue(key)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        """Enqueue the bindings of nodes where a node came, went, or has other labels."""
        is_same = old is not None and new is not None and _labels(old) == _labels(new)
        for key, binding in () if is_same else self.bindings.objects.items():
            if binding["spec"].get("targetType") == "instance":
                self._enqueue(key)

    def _enqueue_of_service(self, namespace: str, name: str) -> None:
        for binding in self.bindings.of(namespace):
            if binding["spec"]["serviceRef"]["name"] == name:
                self._enqueue(key_of(binding))


class _Work:
    """When a binding is to be reconciled next: at once when woken, and when it is due."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.due: float | None = None
        self.failures = 0
        self.task: asyncio.Task[None]

    async def is_due(self) -> None:
        """Wait until it is time."""
        try:
            async with asyncio.timeout_at(self.due):
                await self.wake.wait()
        except TimeoutError:
            self.due = None
        self.wake.clear()


def _content(listing: Object) -> tuple[object, object]:
    return listing.get("ports"), listing.get("endpoints")


def _labels(subject: Object) -> object:
    return subject["metadata"].get("labels")


def _info(pod: Object) -> tuple[object, ...]:
    """Return what the controller keeps of a pod; its labels are not among it."""
    status = pod.get("status", {})
    return status.get("conditions"), status.get("podIP"), pod["spec"].get("nodeName"), pod["spec"].get("readinessGates")
