"""Connections without sockets, between servers and clients on one event loop.

What matters here is how they end: in good order, by a reset, or not at all since nobody listens.
"""

import asyncio
from typing import Any

_FIRST_PORT = 20_000


class MemoryNetwork:
    """The ports that are listened on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: dict[int, MemoryServer] = {}
        self._last_port = _FIRST_PORT

    def listen(self, factory: Any) -> "MemoryServer":
        """Listen on a free port."""
        self._last_port += 1
        server = self._servers[self._last_port] = MemoryServer(self, factory, self._last_port)
        return server

    async def connect(self, factory: Any, port: int) -> "tuple[MemoryTransport, Any]":
        """Connect to a port.

        Raises:
            ConnectionRefusedError: nobody listens.
        """
        await asyncio.sleep(0)
        server = self._servers.get(port)
        if server is None:
            raise ConnectionRefusedError(f"nothing listens on port {port}")
        near, far = MemoryTransport(self._loop, port), MemoryTransport(self._loop, port)
        near.peer, far.peer = far, near
        far.attach(server.factory())
        near.attach(factory())
        return near, near.get_protocol()

    def stop_listening(self, port: int) -> bool:
        """Accept nothing more on a port."""
        return self._servers.pop(port, None) is not None


class MemorySocket:
    """As much of a socket as servers and connections ask for; its file number is its port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.resets = False

    def fileno(self) -> int:
        """Return its number."""
        return self._port

    def getsockname(self) -> tuple[str, int]:
        """Return its address."""
        return "127.0.0.1", self._port

    def setsockopt(self, *_: object) -> None:
        """Take it that a close is to be a reset: no other option is ever set here."""
        self.resets = True


class MemoryServer:
    """A listener."""

    def __init__(self, network: MemoryNetwork, factory: Any, port: int) -> None:
        self.factory = factory
        self.sockets = [MemorySocket(port)]
        self._network = network
        self._port = port

    async def start_serving(self) -> None:
        """There is nothing to begin: it listens."""

    def close(self) -> None:
        """Accept nothing more."""
        self._network.stop_listening(self._port)

    def is_serving(self) -> bool:
        """Tell that it listens."""
        return True

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""


class MemoryTransport(asyncio.Transport):
    """One end of a connection; what is written arrives in the loop's next turn, in order."""

    peer: "MemoryTransport"

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self._loop = loop
        self._socket = MemorySocket(port)
        super().__init__({"socket": self._socket, "peername": ("127.0.0.1", port), "sockname": ("127.0.0.1", port)})
        self._protocol: Any = None
        self._is_closing = False
        self._is_lost = False

    def attach(self, protocol: Any) -> None:
        """Give it to its protocol."""
        self._protocol = protocol
        protocol.connection_made(self)

    def get_protocol(self) -> Any:
        """Return its protocol."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Give it to another protocol."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._is_closing

    def write(self, data: Any) -> None:
        """Send."""
        if not self._is_closing:
            self._loop.call_soon(self.peer.receive, bytes(data))

    def can_write_eof(self) -> bool:
        """Tell that only a whole connection ends."""
        return False

    def close(self) -> None:
        """End the connection once what was written has arrived."""
        self._end(None)

    def abort(self) -> None:
        """End the connection at once, by a reset where the socket says so."""
        self._end(ConnectionResetError("connection reset by peer") if self._socket.resets else None)

    def receive(self, data: bytes) -> None:
        """Take what the other end has sent."""
        if not self._is_lost and not self._is_closing:
            self._protocol.data_received(data)

    def lose(self, error: Exception | None) -> None:
        """Take it that the connection is over."""
        if self._is_lost:
            return
        self._is_lost = self._is_closing = True
        self._protocol.connection_lost(error)

    def pause_reading(self) -> None:
        """Nothing here ever sends more than is read."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""

    def is_reading(self) -> bool:
        """Tell that it reads."""
        return not self._is_closing

    def get_write_buffer_size(self) -> int:
        """Tell that nothing waits."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no limit."""

    def _end(self, error: Exception | None) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.call_soon(self.lose, None)
        self._loop.call_soon(self.peer.end_of_peer, error)

    def end_of_peer(self, error: Exception | None) -> None:
        """Take it that the other end is closed."""
        if not self._is_lost and not self._is_closing and error is None:
            self._protocol.eof_received()
        self.lose(error)
