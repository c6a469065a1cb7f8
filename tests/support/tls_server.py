"""An HTTPS server on loopback that notes who asked, and what it was told of them."""

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from kubectl_safe.sandbox.certificates import CertificateAuthority

WHO = ("authorization", "impersonate-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request, as far as it tells who it is."""

    server: str
    path: str
    headers: tuple[tuple[str, str], ...]
    """Those that say it, sorted, in lower case."""
    subject: str
    """The name in a client certificate; empty without one."""
    server_name: str = field(default="", compare=False)
    """What the client asked for in its TLS handshake."""

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")


class TlsServer:
    """The server, as a context manager.

    Args:
        name: for `Visit.server`.
        authority: signs its certificate, and those of its clients.
        status: tells what to answer with; 200 unless said otherwise.
    """

    def __init__(
        self, name: str, authority: CertificateAuthority, *, status: Callable[[Visit], int] = lambda _: 200
    ) -> None:
        self.name = name
        self.status = status
        self.visits: list[Visit] = []
        self.authority = authority.ca_file
        self._names: dict[int, str] = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(name))
        context.load_verify_locations(authority.ca_file)
        # Clients are only checked where a test looks at them: what they show is noted as it is.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = self._note
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.rig = self
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def cluster(self, **fields: Any) -> dict[str, Any]:
        """Return its entry in a kubeconfig."""
        return {"server": self.url, "certificate-authority": str(self.authority), **fields}

    def visit(self, handler: "_Handler") -> Visit:
        connection = handler.connection
        assert isinstance(connection, ssl.SSLSocket)
        shown: Any = connection.getpeercert() or {}
        names = dict(pair for part in shown.get("subject", ()) for pair in part)
        found = Visit(
            server=self.name,
            path=handler.path,
            headers=tuple(sorted((n.lower(), v) for n, v in handler.headers.items() if n.lower().startswith(WHO))),
            subject=names.get("commonName", ""),
            server_name=self._names.get(id(connection), ""),
        )
        self.visits.append(found)
        return found

    def _note(self, connection: Any, name: str | None, _: object) -> None:
        self._names[id(connection)] = name or ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    rig: TlsServer

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that doesn't trust us goes away in the middle of the handshake."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        status = self.server.rig.status(self.server.rig.visit(self))
        body = json.dumps({"kind": "Status", "code": status}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


def write_config(file: Path, **fields: Any) -> str:
    """Write a kubeconfig of clusters, users and contexts by name, and return its path."""
    singular = {"clusters": "cluster", "users": "user", "contexts": "context"}
    lists = {
        plural: [{"name": name, kind: entry} for name, entry in fields.pop(plural, {}).items()]
        for plural, kind in singular.items()
    }
    current = {"current-context": fields.pop("current")} if "current" in fields else {}
    assert not fields
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **lists, **current}))
    return str(file)
