"""Requests to the API server: JSON in and out, over the kubernetes library's connection pool and credentials.

It must not decide anything. Reads are tried again, writes never: whether a lost one was done is the caller's to see.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from kubectl_safe.kube.backoff import Backoff
from kubectl_safe.kube.config import Login, login
from kubectl_safe.kube.errors import ApiError, ConfigError, Unreachable
from kubectl_safe.kube.session import Session, read_object, refusal

if TYPE_CHECKING:
    from kubectl_safe.model.trace import Trace

Query = Mapping[str, str]

_CALL_SECONDS = 30.0
_HEADER_SECONDS = 10.0
_READ_TRIES = 5
_LONGEST_RETRY_AFTER = 30.0
_CHUNK = 1 << 16
_FAILED = 400
_UNAUTHORIZED = 401


def connect(*, kubeconfig: str | None, context: str | None, now: Callable[[], datetime]) -> "Client":
    """Return a client of a context's API server; nothing is sent yet.

    Args:
        kubeconfig: the file; None means `KUBECONFIG`, `~/.kube/config` or, without any, the cluster that we run in.
        context: its name; None means the current one.
        now: reads the clock, to tell how far the server's is off.

    Raises:
        ConfigError: in kubectl's words.
    """
    return Client(login(kubeconfig=kubeconfig, context=context), now=now)


class Client:
    """A client of one API server, safe to share between threads."""

    def __init__(self, way: Login, *, now: Callable[[], datetime]) -> None:
        self.namespace = way.namespace
        self.clock_offset = timedelta(0)
        """What to add to our clock to get the server's; `Date` headers tell whole seconds, so it is coarse."""
        self.trace: Trace | None = None
        """Who sees every exchange; of a watch only that it was opened."""
        self._way = way
        self._now = now
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._session = Session(way.load())

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return self._session.host

    def close(self) -> None:
        """Close idle connections and end pauses between tries."""
        self._closed.set()
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str | None = None,
        timeout: float = _CALL_SECONDS,
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON; a GET that fails for the moment is tried again.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: from `/api` or `/apis` on.
            query: parameters of the query string.
            body: what becomes JSON.
            content_type: of the body; None means `application/json`.
            timeout: seconds without a byte of the answer.

        Raises:
            ApiError: the server's refusal.
            Unreachable: there was no answer.
        """
        backoff = Backoff(first=0.2, longest=5)
        tries = _READ_TRIES if method == "GET" else 1
        while True:
            tries -= 1
            try:
                response = self._send(
                    method, path, query, body=body, content_type=content_type, timeout=timeout, preload_content=True
                )
                return read_object(response.data, self.server)
            except ApiError as error:
                if not tries or not error.is_transient:
                    raise
                pause = max(backoff.next(), min(error.retry_after or 0, _LONGEST_RETRY_AFTER))
                if self._closed.wait(pause):
                    raise

    def stream(self, path: str, query: Query, read_timeout: float) -> "Stream":
        """Open a watch.

        Args:
            path: from `/api` or `/apis` on.
            query: parameters of the query string.
            read_timeout: seconds of silence after which the connection counts as cut.

        Raises:
            ApiError: the server's refusal.
            Unreachable: there was no answer.
        """
        response = self._send("GET", path, query, timeout=_HEADER_SECONDS, preload_content=False)
        connection = getattr(response, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(read_timeout)
        return Stream(response, self.server)

    def _send(self, method: str, path: str, query: Query | None, **options: Any) -> Any:
        """Return the response of urllib3; after a 401 the credentials are taken anew and it is sent once more."""
        session = self._session
        try:
            return self._send_once(session, method, path, query, **options)
        except ApiError as error:
            # Tokens of credential plugins live for minutes, and files with tokens are replaced: a run outlives both.
            # A request that was not authenticated did nothing, so a write may be sent again, too.
            if error.status != _UNAUTHORIZED:
                raise
            return self._send_once(self._renew(session, error), method, path, query, **options)

    def _send_once(
        self,
        session: "Session",
        method: str,
        path: str,
        query: Query | None,
        *,
        timeout: float,
        preload_content: bool,
        body: Any = None,
        content_type: str | None = None,
    ) -> Any:
        with self._lock:
            headers = session.headers()
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        data = None if body is None else json.dumps(body).encode()
        sent = self._now()
        try:
            response = session.send(
                method, path, query, body=data, headers=headers, timeout=timeout, preload_content=preload_content
            )
        except Unreachable as error:
            self._tell(f"{method} {session.url(path, query)}", headers, data, sent, error)
            raise
        self._compare_clocks(response.headers.get("Date"), sent)
        self._tell(f"{method} {session.url(path, query)}", headers, data, sent, response, has_body=preload_content)
        if response.status >= _FAILED:
            raise refusal(response)
        return response

    def _tell(
        self,
        asked: str,
        headers: Mapping[str, str],
        body: bytes | None,
        sent: datetime,
        came: Any,
        *,
        has_body: bool = False,
    ) -> None:
        """Show what came of a request: a response of urllib3, or what kept it from coming."""
        if self.trace is None:
            return
        from kubectl_safe.kube.trace import exchange

        self.trace(exchange(asked, headers, body, came, took=self._now() - sent, has_body=has_body))

    def _renew(self, old: "Session", error: ApiError) -> "Session":
        with self._lock:
            # Another thread may have done it while this one was on its way.
            if self._session is old:
                try:
                    self._session = Session(self._way.load())
                except ConfigError as trouble:
                    raise ApiError(f"{error.message}: {trouble}", status=_UNAUTHORIZED, reason=error.reason) from error
                old.close()
            return self._session

    def _compare_clocks(self, date: str | None, sent: datetime) -> None:
        if date is None:
            return
        with contextlib.suppress(ValueError, TypeError):
            middle = sent + (self._now() - sent) / 2
            # The header cuts off a fraction: half a second, on average.
            self.clock_offset = parsedate_to_datetime(date) + timedelta(milliseconds=500) - middle


class Stream:
    """The lines of a watch as they come, to be iterated by one thread; any other may close it."""

    def __init__(self, response: Any, server: str) -> None:
        self._response = response
        self._server = server

    def __iter__(self) -> Iterator[bytes]:
        """Yield whole lines until the server ends the watch; half a line is told again by the next.

        Raises:
            Unreachable: the connection was cut, silent for too long, or closed by `close`.
        """
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            while chunk := self._response.read1(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable(f"the watch on {self._server} was cut: {error}") from error
        finally:
            self._response.close()

    def close(self) -> None:
        """End the iteration at once."""
        # Only reading is shut down: closing here would wait for the lock that the reading thread holds.
        with contextlib.suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()
