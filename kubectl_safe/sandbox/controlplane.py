"""A Kubernetes control plane on loopback, without a container engine: etcd and three components from a folder.

It is up in seconds and leaves no process behind. It must not know of nodes: without agents, no pod runs.
"""

import asyncio
import json
import secrets
import socket
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal, Self

from kubectl_safe.sandbox import components
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.processes import ComponentFailedError, Processes

ADMIN = "admin"
KUBELET = "kubelet"
_USERS = {
    ADMIN: ("system:masters",),
    # The audit log tells its writes from those of whoever is tried out.
    KUBELET: ("system:masters",),
    "system:kube-controller-manager": (),
    "system:kube-scheduler": (),
}
_API_SERVER = "kube-apiserver"
_READY_SECONDS = 60
_POLL_SECONDS = 0.05
_ATTEMPTS = 3
_PORT_TAKEN = "address already in use"


class ControlPlane:
    """A control plane, as an async context manager.

    Args:
        binaries: the folder with `components.BINARIES`.
        users: further users and their groups; each gets a token.
        directory: where its files go; without one, a temporary directory that goes with it.
        silence: after how many seconds a node that renews no Lease is taken for dead; 0 for never.
        has_controllers: whether controllers and a scheduler run; without them every object stays as it was written.
    """

    def __init__(
        self,
        binaries: Path,
        *,
        users: Mapping[str, Sequence[str]] | None = None,
        directory: Path | None = None,
        silence: int = 0,
        has_controllers: bool = True,
    ) -> None:
        self.binaries = binaries
        self.silence = silence
        self._has_controllers = has_controllers
        self._groups = {**_USERS, **(users or {})}
        self._tokens = {user: secrets.token_hex(16) for user in self._groups}
        self._given = directory
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for attempt in range(_ATTEMPTS):
            try:
                await self._start()
            except ComponentFailedError as error:
                await self._stack.aclose()
                # Between finding a free port and using it, another process may have taken it.
                if _PORT_TAKEN not in str(error) or attempt + 1 == _ATTEMPTS:
                    raise
            except BaseException:
                await self._stack.aclose()
                raise
            else:
                return self
        raise AssertionError("an attempt either returns or raises")

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def token(self) -> str:
        """The admin's token."""
        return self._tokens[ADMIN]

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self.kubeconfig_for(ADMIN)

    @property
    def audit_log(self) -> Path:
        """The audit log: a JSON object a line, written when the response is complete."""
        return self.directory / "audit.log"

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by component."""
        return self._processes.pids

    def kubeconfig_for(self, user: str) -> Path:
        """Return the kubeconfig of a user that was named at the start."""
        file = self.directory / f"{user.replace(':', '-')}.kubeconfig"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(
                components.kubeconfig(url=self.url, ca_file=self.ca_file, user=user, token=self._tokens[user])
            )
        return file

    def issue_certificate(self, name: str = "server") -> tuple[Path, Path]:
        """Return certificate and key files for a server on 127.0.0.1, signed by the authority in `ca_file`."""
        return self._authority.issue(name)

    def api(self, user: str = ADMIN) -> Api:
        """Return a client for a user that was named at the start, to be entered by the caller."""
        return Api(self.url, token=self._tokens[user], ca_file=self.ca_file)

    async def restart(self, component: Literal["kube-apiserver"], *, down: float = 0.0) -> None:
        """End the API server, and return once it serves again, at the same address and with the same data.

        Args:
            component: what to restart; the others have nothing to be told ready by.
            down: how many seconds there is none in between.
        """
        await self._processes.end(component)
        await asyncio.sleep(down)
        await self._start_api_server()

    async def _start(self) -> None:
        # Imported here because only the sandbox needs it, and it is not among the tool's own dependencies.
        from kubectl_safe.sandbox.certificates import CertificateAuthority, new_key

        self.directory = self._given or Path(tempfile.mkdtemp(prefix="kubectl-safe-sandbox-"))
        self._processes = await self._stack.enter_async_context(Processes(self.directory, removes=self._given is None))
        etcd_port, port = _free_ports(2)
        self.url = f"https://127.0.0.1:{port}"
        self._authority = CertificateAuthority(self.directory)
        self.ca_file = self._authority.ca_file
        (self.directory / "tokens.csv").write_text(components.token_lines(self._tokens, self._groups))
        (self.directory / "audit-policy.json").write_text(json.dumps(components.audit_policy()))
        await self._processes.start("etcd", components.etcd(self.binaries, self.directory / "etcd", etcd_port))
        await self._ready("etcd", lambda: _listens(etcd_port))
        self._api_server = components.kube_apiserver(
            self.binaries,
            self.directory,
            port=port,
            etcd_port=etcd_port,
            certificate=self.issue_certificate("kube-apiserver"),
            account_key=new_key(self.directory / "service-accounts.key"),
        )
        await self._start_api_server()
        if self._has_controllers:
            await self._start_controllers()

    async def _start_controllers(self) -> None:
        manager = self.kubeconfig_for("system:kube-controller-manager")
        await self._processes.start(
            "kube-controller-manager",
            components.kube_controller_manager(self.binaries, self.directory, kubeconfig=manager, silence=self.silence),
        )
        scheduler = self.kubeconfig_for("system:kube-scheduler")
        await self._processes.start(
            "kube-scheduler", components.kube_scheduler(self.binaries, self.directory, kubeconfig=scheduler)
        )

    async def _start_api_server(self) -> None:
        await self._processes.start(_API_SERVER, self._api_server)
        async with self.api() as api:
            await self._ready(_API_SERVER, lambda: _serves(api))

    async def _ready(self, name: str, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Wait until a component is ready; one that ended is noticed at once."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not await is_ready():
                    self._processes.check(name)
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise ComponentFailedError(
                f"{name} was not ready within {_READY_SECONDS} s; its log ends with:\n{self._processes.tail(name)}"
            ) from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _serves(api: Api) -> bool:
    """Tell whether the API server is ready: its hooks have run, and the first namespace is there."""
    try:
        await api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-controller-manager")
        await api.get("/api/v1/namespaces/default")
        await api.get_text("/readyz")
    except ApiError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that were free a moment ago, all different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
