"""An HTTP server on loopback that answers as a test scripts it: ways of an API server that a real one shows rarely."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


GRANTED = Answer(body={"status": {"allowed": True}})
"""The answer to a review of a right that one has."""


def is_review(asked: Asked) -> bool:
    """Tell whether it is asked if somebody has a right, which changes nothing."""
    return asked.path.endswith("/selfsubjectaccessreviews")


class Feed:
    """The answer to a watch, as it grows."""

    def __init__(self, *lines: Any) -> None:
        self._items: queue.Queue[Any] = queue.Queue()
        for line in lines:
            self.send(line)

    def send(self, line: Any) -> Self:
        """Send a line: an event, or bytes as they are."""
        self._items.put(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        return self

    def end(self) -> Self:
        """End in good order."""
        self._items.put(None)
        return self

    def cut(self) -> Self:
        """Cut the connection."""
        self._items.put(ConnectionResetError)
        return self

    def next(self, closing: threading.Event) -> Any:
        while not closing.is_set():
            with contextlib.suppress(queue.Empty):
                return self._items.get(timeout=0.02)
        return None


class Cut:
    """No answer at all: the connection is cut."""


Script = Callable[[Asked], Answer | Feed | Cut]


class ApiServer:
    """The server, as a context manager; `asked` is what came in."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.rig = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def kubeconfig(self, directory: Path, *, user: Mapping[str, Any] | None = None, namespace: str = "") -> str:
        """Write a kubeconfig whose context `here` leads to it."""
        return write_kubeconfig(directory, self.url, user=user, namespace=namespace)


def write_kubeconfig(directory: Path, url: str, *, user: Mapping[str, Any] | None = None, namespace: str = "") -> str:
    """Write a kubeconfig with the context `here`, and return its path."""
    context = {"cluster": "here", "user": "me", **({"namespace": namespace} if namespace else {})}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": context}],
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": dict(user or {"token": "secret"})}],
    }
    file = directory / "kubeconfig"
    file.write_text(json.dumps(config))
    return str(file)


def a_status(code: int, reason: str = "", message: str = "", *, causes: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return a refusal as the API server words it."""
    details = {"causes": [{"reason": kind, "message": text} for kind, text in causes]}
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return Answer(status=code, body={**body, "details": details} if causes else body)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    rig: ApiServer


class _Handler(BaseHTTPRequestHandler):
    @property
    def _rig(self) -> ApiServer:
        assert isinstance(self.server, _Server)
        return self.server.rig

    protocol_version = "HTTP/1.1"
    timeout = 0.05

    def handle(self) -> None:
        self.close_connection = False
        while not self.close_connection and not self._rig.closing.is_set():
            if self._has_request():
                self.handle_one_request()

    def _has_request(self) -> bool:
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                self.close_connection = True
        except TimeoutError:
            return False
        except OSError:
            self.close_connection = True
        return not self.close_connection

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers=dict(self.headers),
            body=body,
        )
        self._rig.asked.append(asked)
        answer = self._rig.script(asked)
        # A client on a busy machine reads a large answer bit by bit.
        self.connection.settimeout(5)
        try:
            match answer:
                case Answer():
                    self._whole(answer)
                case Feed():
                    self._feed(answer)
                case Cut():
                    self.close_connection = True
        except OSError:
            self.close_connection = True
        finally:
            self.connection.settimeout(self.timeout)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _whole(self, answer: Answer) -> None:
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _feed(self, feed: Feed) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while (item := feed.next(self._rig.closing)) is not None:
            if item is ConnectionResetError:
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(item), item))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""
