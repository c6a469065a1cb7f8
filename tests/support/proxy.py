"""A proxy on loopback: whatever host is asked for, it leads to one server, and notes what it was asked."""

import contextlib
import socket
import socketserver
import threading
from typing import Any, Self

_CHUNK = 1 << 16


class Proxy:
    """The proxy, as a context manager; it speaks HTTP's CONNECT, and SOCKS 5.

    Args:
        port: of the server on loopback that it leads to.
    """

    def __init__(self, port: int) -> None:
        self.port_behind = port
        self.asked: list[str] = []
        """`http cluster.invalid:6443`, and the login that came with it, or `socks ...`."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.rig = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    rig: Proxy

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that go away."""


class _Handler(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        first = self.rfile.read(1)
        told = self._socks() if first == b"\x05" else self._connect(first)
        self.server.rig.asked.append(told)
        with socket.create_connection(("127.0.0.1", self.server.rig.port_behind)) as behind:
            back = threading.Thread(target=_copy, args=(behind, self.connection))
            back.start()
            _copy(self.connection, behind)
            back.join()

    def _connect(self, first: bytes) -> str:
        head = first
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.read(1)
        line, *headers = head.decode().splitlines()
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        login = [header.partition(": ")[2] for header in headers if header.lower().startswith("proxy-authorization")]
        return " ".join(["http", line.split()[1], *login])

    def _socks(self) -> str:
        self.rfile.read(self.rfile.read(1)[0])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        name = {
            1: lambda: socket.inet_ntoa(self.rfile.read(4)),
            3: lambda: self.rfile.read(self.rfile.read(1)[0]).decode(),
        }[kind]()
        port = int.from_bytes(self.rfile.read(2), "big")
        self.wfile.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return f"socks {name}:{port}"


def _copy(source: Any, target: Any) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
