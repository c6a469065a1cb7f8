"""The HTTP server that is a pod: small, and exact in how it ends.

It speaks HTTP/1.1 itself, on bare transports, because what the sandbox measures is what happens to each connection
when the process goes: a reset, a truncated answer, or a finished one. It must not know of Kubernetes.

- `GET /` answers at once and `GET /stream?seconds=3` over that time, in chunks. Both bodies end with `END_LINE`, both
  answers bear the pod's name in `X-Pod`.
- `GET /healthz` answers 200 while the server serves: its own probe's path.
- `GET /target-health`, the load balancer's, answers 200 too, unless the server `fails_target_check`.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Literal, cast
from urllib.parse import parse_qs, urlsplit

HEALTH_PATH = "/healthz"
TARGET_HEALTH_PATH = "/target-health"
END_LINE = b"-- end of answer --\n"
CHUNK_SECONDS = 0.25

# A connection without a request yet is not idle: its first one may be on its way. Go's http.Server waits as well.
FIRST_REQUEST_SECONDS = 1.0

Sigterm = Literal["abrupt", "graceful"]

_HEAD_LIMIT = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class PodServer:
    """One pod's server on a port of 127.0.0.1 of its own; `work_seconds` is how long a short answer takes."""

    def __init__(self, name: str, *, work_seconds: float = 0.005) -> None:
        self.name = name
        self.work_seconds = work_seconds
        self.in_flight = 0
        self.is_serving = False
        self.fails_target_check = False
        self.connections: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._exited = asyncio.Event()

    async def start(self) -> tuple[str, int]:
        """Listen, and return the address."""
        loop = asyncio.get_running_loop()
        # Whoever is cancelled while it begins to serve has its listener by then, and closes it.
        self._listener = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=256, start_serving=False
        )
        await self._listener.start_serving()
        self.is_serving = True
        host, port = self._listener.sockets[0].getsockname()
        return host, port

    def terminate(self, kind: Sigterm) -> None:
        """Take a SIGTERM: `abrupt` resets every connection, `graceful` finishes the answers under way."""
        self.is_serving = False
        self._stop_listening()
        for connection in tuple(self.connections):
            if kind == "abrupt":
                connection.reset()
            else:
                connection.finish()
        self._exit_if_done()

    def kill(self) -> None:
        """Take a SIGKILL: whatever is still open is reset."""
        self.terminate("abrupt")

    async def wait_exited(self) -> None:
        """Wait until it was terminated and its last connection is closed."""
        await self._exited.wait()

    @property
    def has_exited(self) -> bool:
        """Whether it was terminated and its last connection is closed."""
        return self._exited.is_set()

    def closed(self, connection: "_Connection") -> None:
        """Take note that a connection is closed."""
        self.connections.discard(connection)
        self._exit_if_done()

    def _stop_listening(self) -> None:
        """Accept no more now, and close the listener in the loop's next turn.

        asyncio leaves a connection open, and its client without an answer, that was accepted in the turn in which its
        server closes: by the next one it has its transport, and is reset.
        """
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        loop = asyncio.get_running_loop()
        for plain in listener.sockets:
            loop.remove_reader(plain.fileno())
        loop.call_soon(listener.close)

    def _exit_if_done(self) -> None:
        if not self.is_serving and not self.connections:
            self._exited.set()


class _Connection(asyncio.Protocol):
    """One connection: requests one after another, each answered whole before the next is read."""

    def __init__(self, server: PodServer) -> None:
        self._server = server
        self._received = b""
        self._skip = 0  # what is left of a request's body, which is read and ignored
        self._counted = False
        self._busy = False
        self._is_new = True
        self._close_after = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)
        if not self._server.is_serving:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._timer is not None:
            self._timer.cancel()
        self._done()
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._busy:
            self._next_request()

    def reset(self) -> None:
        """Close with a RST."""
        plain = self._transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def finish(self) -> None:
        """Close once the answer under way is whole, at once where the connection idles between two requests."""
        self._close_after = True
        if self._is_new:
            self._later(FIRST_REQUEST_SECONDS, self._transport.close)
        elif not self._busy:
            self._transport.close()

    def _next_request(self) -> None:
        skipped = min(self._skip, len(self._received))
        self._skip -= skipped
        self._received = self._received[skipped:]
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if separator:
            self._received = rest
            self._answer(head.decode("latin-1"))
        elif len(head) > _HEAD_LIMIT:
            self.reset()

    def _answer(self, head: str) -> None:
        request, *lines = head.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        _method, target, _version = (*request.split(" "), "", "")[:3]
        self._skip = int(headers.get("content-length", "0"))
        self._close_after = self._close_after or headers.get("connection", "").lower() == "close"
        self._busy = True
        self._is_new = False
        if self._timer is not None:
            self._timer.cancel()
        url = urlsplit(target)
        if url.path in (HEALTH_PATH, TARGET_HEALTH_PATH):
            fails = url.path == TARGET_HEALTH_PATH and self._server.fails_target_check
            self._whole(404 if fails else 200, b"not found\n" if fails else b"ok\n")
            return
        self._counted = True
        self._server.in_flight += 1
        if url.path == "/":
            self._later(self._server.work_seconds, lambda: self._whole(200, _body(self._server.name)))
        elif url.path == "/stream":
            self._begin_stream(float(parse_qs(url.query).get("seconds", ["3"])[0]))
        else:
            self._whole(404, b"not found\n")

    def _begin_stream(self, seconds: float) -> None:
        self._transport.write(self._head(200, "Transfer-Encoding: chunked"))
        ends = asyncio.get_running_loop().time() + seconds
        self._stream(ends)

    def _stream(self, ends: float) -> None:
        left = ends - asyncio.get_running_loop().time()
        if left > 0:
            self._transport.write(_chunk(b"pod %s still streams\n" % self._server.name.encode()))
            self._later(min(left, CHUNK_SECONDS), lambda: self._stream(ends))
        else:
            self._transport.write(_chunk(END_LINE) + _chunk(b""))
            self._answered()

    def _whole(self, status: int, body: bytes) -> None:
        self._transport.write(self._head(status, f"Content-Length: {len(body)}") + body)
        self._answered()

    def _head(self, status: int, framing: str) -> bytes:
        reason = "OK" if status == 200 else "Not Found"
        close = "Connection: close\r\n" if self._close_after else ""
        return (
            f"HTTP/1.1 {status} {reason}\r\nX-Pod: {self._server.name}\r\nContent-Type: text/plain\r\n"
            f"{framing}\r\n{close}\r\n"
        ).encode()

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _answered(self) -> None:
        self._timer = None
        self._done()
        self._busy = False
        if self._close_after:
            self._transport.close()
        elif self._received:
            asyncio.get_running_loop().call_soon(self._next_request_if_idle)

    def _next_request_if_idle(self) -> None:
        if not self._busy and not self._transport.is_closing():
            self._next_request()

    def _done(self) -> None:
        if self._counted:
            self._counted = False
            self._server.in_flight -= 1


def _body(name: str) -> bytes:
    return b"answered by pod " + name.encode() + b"\n" + END_LINE


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_whole(body: bytes) -> bool:
    """Tell whether the body of an answer by a pod is complete."""
    return body.endswith(END_LINE)
