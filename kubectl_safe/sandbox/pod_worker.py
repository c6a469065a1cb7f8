"""The kubelet's part for one pod: starts its server, probes it, reports its status and ends it.

It must not write anything but the pod's status and the pod's final deletion.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

from kubectl_safe.sandbox import moment, pod_fault, pod_spec
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.pod import PodServer
from kubectl_safe.sandbox.pod_fault import PodFault
from kubectl_safe.sandbox.pod_status import ContainerState, is_ready, pod_status

# What a process gets after its SIGTERM whatever the hook took: minimumGracePeriodInSeconds in
# https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/kuberuntime_container.go
_LEAST_GRACE_SECONDS = 2.0
_RETRY_SECONDS = 0.1
_KILLED = 137
_TERMINATED = 143


@dataclass(slots=True, kw_only=True)
class PodRecord:
    """What became of a pod and when, in seconds since the epoch, to be ordered against the audit log."""

    uid: str
    namespace: str
    name: str
    node: str
    ip: str
    started: float | None = None
    ready: float | None = None
    deleted: float | None = None
    sigterm: float | None = None
    in_flight_at_sigterm: int | None = None
    exited: float | None = None
    gone: float | None = None


class PodWorker:
    """Runs one pod from its binding to its end."""

    def __init__(
        self,
        api: Api,
        network: PodNetwork,
        pod: dict[str, Any],
        *,
        record: PodRecord,
        host_ip: str,
        fault: PodFault | None = None,
    ) -> None:
        self.record = record
        self._api = api
        self._network = network
        self._pod = pod
        self._host_ip = host_ip
        self._fault = fault
        self._path = f"/api/v1/namespaces/{record.namespace}/pods/{record.name}"
        self._server = PodServer(record.name)
        self._server.fails_target_check = fault is PodFault.UNHEALTHY
        self._state = ContainerState(acknowledged=_now())
        self._sent: dict[str, Any] = {}
        self._stale = asyncio.Event()
        self._ending = asyncio.Event()
        self._vanished = asyncio.Event()
        self.observe(pod)

    def observe(self, pod: dict[str, Any]) -> None:
        """Take the newest object of the pod: its deletion, or a gate's condition, may have changed."""
        if _version(pod) >= _version(self._pod):
            self._pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self.record.deleted = self.record.deleted or moment.time()
            self._ending.set()
        self._stale.set()

    def vanish(self) -> None:
        """Take note that the object is gone."""
        self._vanished.set()
        self._ending.set()

    async def run(self) -> None:
        """Run the pod until its object is gone."""
        tasks = [asyncio.create_task(self._report())]
        try:
            if await self._start():
                tasks.append(asyncio.create_task(self._probe()))
                await self._run_until_ended()
            await self._ending.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._server.kill()
            self._network.unregister(self.record.uid)
        await self._delete()

    async def _start(self) -> bool:
        """Start the server after its delay; a pod that is deleted or finished before, or can't run, never starts."""
        if self._pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return False
        if await _within(pod_spec.start_seconds(self._pod), self._ending):
            return False
        if self._fault is not None and (waiting := pod_fault.waiting(self._fault, self._pod)):
            self._state.waiting = waiting
            self._stale.set()
            return False
        address = await self._server.start()
        self._network.register(self.record.uid, self.record.ip, self._server)
        for port in pod_spec.ports(self._pod):
            self._network.attach(self.record.ip, port, address)
        self.record.started = moment.time()
        self._state.started = _now()
        self._state.is_ready = pod_spec.readiness_probe(self._pod) is None
        self._stale.set()
        return True

    async def _run_until_ended(self) -> None:
        ends_after = pod_spec.exit_seconds(self._pod)
        if await _within(ends_after, self._ending):
            await self._terminate()
        else:
            self._server.terminate("graceful")
            self._exited(0)

    async def _terminate(self) -> None:
        """Run the preStop hook, send SIGTERM, and kill at the end of the grace period."""
        clock = asyncio.get_running_loop().time
        grace = float(self._pod["metadata"].get("deletionGracePeriodSeconds", 0))
        deadline = clock() + grace
        await _within(min(pod_spec.prestop_seconds(self._pod), grace), self._vanished)
        kind = pod_spec.sigterm(self._pod)
        self.record.sigterm = moment.time()
        self.record.in_flight_at_sigterm = self._server.in_flight
        # Before the listener closes: its port may be another's at once.
        self._network.detach(self.record.ip)
        self._server.terminate(kind)
        try:
            async with asyncio.timeout(max(deadline - clock(), _LEAST_GRACE_SECONDS)):
                await self._server.wait_exited()
        except TimeoutError:
            self._server.kill()
            self._exited(_KILLED)
        else:
            self._exited(0 if kind == "graceful" else _TERMINATED)

    def _exited(self, code: int) -> None:
        self._network.detach(self.record.ip)
        self.record.exited = moment.time()
        self._state.finished = _now()
        self._state.exit_code = code
        self._state.is_ready = False
        self._stale.set()

    async def _probe(self) -> None:
        """Ask the pod as its readiness probe says, also while it terminates."""
        probe = pod_spec.readiness_probe(self._pod)
        if probe is None:
            return
        await asyncio.sleep(probe.initial_delay_seconds)
        successes = failures = 0
        while self._state.exit_code is None:
            if await self._answers(probe):
                successes, failures = successes + 1, 0
            else:
                successes, failures = 0, failures + 1
            if successes >= probe.success_threshold:
                self._set_ready(ready=True)
            elif failures >= probe.failure_threshold:
                self._set_ready(ready=False)
            await asyncio.sleep(probe.period_seconds)

    def _set_ready(self, *, ready: bool) -> None:
        if self._state.is_ready != ready:
            self._state.is_ready = ready
            self._stale.set()

    async def _answers(self, probe: pod_spec.Probe) -> bool:
        address = self._network.address(self.record.ip, probe.port)
        if address is None:
            return False
        try:
            async with asyncio.timeout(probe.timeout_seconds):
                return await _get(address, probe.path)
        except (OSError, TimeoutError):
            return False

    async def _report(self) -> None:
        """Patch the status whenever something that it says has changed."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            await self._patch_status()

    async def _patch_status(self) -> None:
        status = pod_status(self._pod, self._state, ip=self.record.ip, host_ip=self._host_ip, now=_now())
        if status == self._sent:
            return
        try:
            # The UID keeps the status from a namesake that was created since.
            body = {"metadata": {"uid": self.record.uid}, "status": status}
            patched = await self._api.patch(f"{self._path}/status", body)
        except ApiError as error:
            if error.status == 404:
                self.vanish()
            elif not _is_passing(error):
                raise
            else:
                await asyncio.sleep(_RETRY_SECONDS)
                self._stale.set()
            return
        self._sent = status
        if self.record.ready is None and is_ready(status):
            self.record.ready = moment.time()
        self.observe(patched)

    async def _delete(self) -> None:
        """Report the end, then remove the object, as the kubelet does once nothing of the pod runs."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.record.uid}}
        while not self._vanished.is_set():
            try:
                await self._patch_status()
                await self._api.delete(self._path, options)
                self._vanished.set()
            except ApiError as error:
                if error.status == 404:
                    self._vanished.set()
                elif not _is_passing(error):
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
        self.record.gone = moment.time()


async def _within(limit: float | None, event: asyncio.Event) -> bool:
    """Tell whether an event comes within so many seconds; for ever, for None."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await event.wait()
    return event.is_set()


async def _get(address: tuple[str, int], path: str | None) -> bool:
    """Tell whether a GET is answered with a success, or, for no path, whether a connection is accepted."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        if path is None:
            return True
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: pod\r\nUser-Agent: kube-probe\r\nConnection: close\r\n\r\n".encode()
        )
        _version_text, status, *_ = (await reader.readline()).split() or (b"", b"0")
        return 200 <= int(status) < 400
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _is_passing(error: ApiError) -> bool:
    """Tell whether the same call may succeed later: unreachable, a conflict, too many, the server's own fault."""
    return error.status in (0, 409, 429) or error.status >= 500


def _version(pod: dict[str, Any]) -> int:
    return int(pod["metadata"]["resourceVersion"])


def _now() -> str:
    return moment.stamp()
