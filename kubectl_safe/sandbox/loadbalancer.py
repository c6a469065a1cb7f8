"""The data plane of an application load balancer: a reverse proxy on loopback in front of one target group.

It spreads requests evenly over what is healthy, goes on with a target for a moment after its deregistration began, and
never tries a second target: what a target does to a request is what the client sees. One request a connection.
"""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Self, cast

from kubectl_safe.sandbox.elbv2 import Elbv2, Target
from kubectl_safe.sandbox.network import PodNetwork

if TYPE_CHECKING:
    from kubectl_safe.sandbox.exchange import Address

_HEAD_LIMIT = 64 * 1024


class LoadBalancer:
    """A proxy on a port of 127.0.0.1 of its own, in front of the target group with an ARN."""

    def __init__(self, elbv2: Elbv2, arn: str, network: PodNetwork, *, seed: int = 0) -> None:
        self.arn = arn
        self.address: Address = ("127.0.0.1", 0)
        self._elbv2 = elbv2
        self._network = network
        self._random = Random(seed)
        self._listener: asyncio.Server | None = None
        self._dials: set[asyncio.Task[None]] = set()
        self._clients: set[_Client] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0, backlog=512)
        self.address = self._listener.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        for client in tuple(self._clients):
            client.transport.abort()
        for dial in tuple(self._dials):
            dial.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """Where clients send their requests."""
        return f"http://127.0.0.1:{self.address[1]}"

    def pick(self) -> Target | None:
        """Return the target of the next request, or None where there is none."""
        targets = self._elbv2.routable(self.arn)
        return self._random.choice(targets) if targets else None

    def opened(self, client: "_Client") -> None:
        """Take note of a client."""
        self._clients.add(client)

    def closed(self, client: "_Client") -> None:
        """Forget a client."""
        self._clients.discard(client)

    def forward(self, client: "_Client", head: bytes) -> None:
        """Send a request on to a target."""
        dial = asyncio.get_running_loop().create_task(self._forward(client, head))
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)

    async def _forward(self, client: "_Client", head: bytes) -> None:
        target = self.pick()
        if target is None:
            client.fail(503, "Service Unavailable", None)
            return
        address = self._network.address(target.id, target.port)
        try:
            if address is None:
                raise ConnectionRefusedError(f"nothing listens at {target.id}:{target.port}")
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: _Upstream(client, target, head), *address)
        except OSError:
            client.fail(502, "Bad Gateway", target)


class _Client(asyncio.Protocol):
    """A client's connection, for one request."""

    transport: asyncio.Transport

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer
        self._received = b""
        self._is_forwarded = False
        self.upstream: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._balancer.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._is_forwarded:
            if self.upstream is not None:
                self.upstream.write(data)
            else:
                self._received += data
            return
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if separator:
            self._is_forwarded = True
            self._received = rest
            self._balancer.forward(self, _for_one_request(head))
        elif len(head) > _HEAD_LIMIT:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._balancer.closed(self)
        if self.upstream is not None:
            self.upstream.abort()

    def connected(self, upstream: asyncio.Transport) -> None:
        """Take the connection to the target, and send on what came in the meantime."""
        self.upstream = upstream
        if self.transport.is_closing():
            upstream.abort()
        elif self._received:
            upstream.write(self._received)

    def fail(self, status: int, reason: str, target: Target | None) -> None:
        """Answer for a target that did not; the header names it, for whoever counts."""
        named = f"X-Target: {target.id}:{target.port}\r\n" if target else ""
        body = f"{status} {reason}\n"
        head = f"HTTP/1.1 {status} {reason}\r\n{named}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.transport.write((head + body).encode())
        self.transport.close()


class _Upstream(asyncio.Protocol):
    """The connection to the target; its bytes go to the client as they come."""

    def __init__(self, client: _Client, target: Target, head: bytes) -> None:
        self._client = client
        self._target = target
        self._head = head
        self._has_answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        upstream = cast("asyncio.Transport", transport)
        upstream.write(self._head)
        self._client.connected(upstream)

    def data_received(self, data: bytes) -> None:
        self._has_answered = True
        self._client.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._client.transport.is_closing():
            return
        if not self._has_answered:
            self._client.fail(502, "Bad Gateway", self._target)
            return
        # Where the answer is whole this ends it; where it is not, its framing tells the client that it is truncated.
        self._client.transport.close()


def _for_one_request(head: bytes) -> bytes:
    """Return a request's head, made to say that the connection ends with the answer."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n"
