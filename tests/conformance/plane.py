"""A control plane as a test speaks to it: plain requests over HTTP, and their answers."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.controlplane import ControlPlane

Json = dict[str, Any]
T = TypeVar("T")

SECONDS = 20.0


class Answer(NamedTuple):
    """What came back."""

    code: int
    body: Json
    headers: Mapping[str, str] = {}

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> list[Json]:
        return list((self.body.get("details") or {}).get("causes") or [])


@dataclass
class Plane:
    """A control plane's address, and how to speak to it."""

    control_plane: ControlPlane | EmbeddedControlPlane
    names: int = 0

    @property
    def is_embedded(self) -> bool:
        return isinstance(self.control_plane, EmbeddedControlPlane)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str = "application/json",
        user: str = "admin",
        accept: str = "application/json",
        **query: str,
    ) -> Answer:
        with self.open(method, path, body, kind=kind, user=user, accept=accept, **query) as response:
            text = response.read()
            try:
                told = json.loads(text)
            except ValueError:
                told = {"text": text.decode()}
            return Answer(response.status, told, dict(response.headers))

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str = "application/json",
        user: str = "admin",
        accept: str = "application/json",
        **query: str,
    ) -> Iterator[http.client.HTTPResponse]:
        config = json.loads(self.control_plane.kubeconfig_for(user).read_text())
        cluster = config["clusters"][0]["cluster"]
        token = config["users"][0]["user"].get("token", "")
        url = urlsplit(cluster["server"])
        if url.scheme == "https":
            tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(url.netloc, timeout=30, context=tls)
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=30)
        headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
        if body is not None:
            headers["Content-Type"] = kind
        target = url.path + path + (f"?{urlencode(query)}" if query else "")
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def add_node(self, name: str, *, pods: int = 1000, **labels: str) -> None:
        """Add a node that is ready, and that nobody plays."""
        capacity = {"pods": str(pods), "cpu": "64", "memory": "64Gi"}
        conditions = [{"type": "Ready", "status": "True"}]
        body = {
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
            "status": {"capacity": capacity, "allocatable": capacity, "conditions": conditions},
        }
        answer = self.call("POST", "/api/v1/nodes", body)
        assert answer.code == 201, answer

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """Look until there is something to see."""
        ends, pause = time.monotonic() + SECONDS, threading.Event()
        while time.monotonic() < ends:
            if (seen := look()) is not None and seen is not False:
                return seen
            pause.wait(0.005 if self.is_embedded else 0.02)
        raise AssertionError(f"{what} was not seen within {SECONDS:.0f} s")
