"""The embedded control plane: what stands where `sandbox.controlplane.ControlPlane` does, without any binaries.

On an event loop in real time it serves HTTP; on one in virtual time it is reached in process only.
"""

import asyncio
import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Self

from kubectl_safe.sandbox.api import Api
from kubectl_safe.sandbox.cluster.audit import AuditLog
from kubectl_safe.sandbox.cluster.controllers.queue import Context
from kubectl_safe.sandbox.cluster.controllers.running import Controllers
from kubectl_safe.sandbox.cluster.http import HttpServer
from kubectl_safe.sandbox.cluster.local import LocalApi
from kubectl_safe.sandbox.cluster.model import Model, Mutator
from kubectl_safe.sandbox.cluster.requests import User
from kubectl_safe.sandbox.cluster.server import Server
from kubectl_safe.sandbox.cluster.virtual import VirtualLoop

ADMIN = "admin"
KUBELET = "kubelet"
_REAL_PAUSE = (0.001, 0.004)
# Busy controllers take longer: it is in virtual time that every order of things is to be met.
_VIRTUAL_PAUSE = (0.001, 0.05)
_USERS: Mapping[str, Sequence[str]] = {ADMIN: ("system:masters",), KUBELET: ("system:masters",)}


class EmbeddedControlPlane:
    """A control plane in this process, as an async context manager.

    Args:
        users: further users and their groups.
        directory: where its files go; without one, a temporary directory that goes with it.
        seed: of all that is random.
        binaries: the folder with `kubectl`, for whoever runs it.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, Sequence[str]] | None = None,
        directory: Path | None = None,
        seed: int = 0,
        binaries: Path | None = None,
    ) -> None:
        self.binaries = binaries or Path()
        self.pids: dict[str, int] = {}
        self._random = Random(seed)
        self._users = {
            name: User(name=name, groups=tuple(groups)) for name, groups in {**_USERS, **(users or {})}.items()
        }
        self._tokens = {name: secrets.token_hex(16) for name in self._users}
        self._given = directory
        self._stack = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: HttpServer | None = None
        self.model = Model(now=self._now, random=self._random)
        self.server = Server(self.model)

    async def __aenter__(self) -> Self:
        self._loop = loop = asyncio.get_running_loop()
        is_virtual = isinstance(loop, VirtualLoop)
        pause = _VIRTUAL_PAUSE if is_virtual else _REAL_PAUSE
        self._context = Context(model=self.model, loop=loop, random=self._random, pause=pause)
        self._stack.callback(Controllers(self._context).close)
        if not is_virtual:
            await self._serve()
        return self

    def _now(self) -> datetime:
        return self._loop.now() if isinstance(self._loop, VirtualLoop) else datetime.now(UTC)

    async def _serve(self) -> None:
        self.directory = self._given or Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-safe-sandbox-"))
        )
        log = AuditLog(self.audit_log, now=self._now)
        self._stack.callback(log.close)
        self.server.audit = log
        users = {token: self._users[name] for name, token in self._tokens.items()}
        self._http = await self._stack.enter_async_context(HttpServer(self.server, users))

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        if self._context.defects:
            raise ExceptionGroup("controllers of the embedded control plane failed", self._context.defects)

    @property
    def url(self) -> str:
        """The admin's URL."""
        return self._url_of(ADMIN)

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
        """The audit log: a JSON object a line."""
        return self.directory / "audit.log"

    def kubeconfig_for(self, user: str) -> Path:
        """Return the kubeconfig of a user that was named at the start."""
        file = self.directory / f"{user.replace(':', '-')}.kubeconfig"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(_kubeconfig(self._url_of(user), user))
        return file

    def api(self, user: str = ADMIN) -> Api:
        """Return a client for a user that was named at the start, to be entered by the caller."""
        return LocalApi(self.server, self._users[user], random=self._random)

    def _url_of(self, user: str) -> str:
        if self._http is None:
            raise RuntimeError("the embedded control plane is reached over HTTP only while it runs in real time")
        return self._http.url_of(self._tokens[user])

    def admit_pods_through(self, mutator: Mutator) -> None:
        """Have each pod that is created go through a mutator, as through a mutating webhook."""
        self.model.mutators.append(mutator)


def _kubeconfig(url: str, user: str) -> str:
    """Return a kubeconfig, as JSON, which is YAML too."""
    name = "sandbox"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": url}}],
            "users": [{"name": user, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        },
        indent=1,
    )
