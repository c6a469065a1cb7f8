"""Requests to the API server: JSON in and out.

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
from kubectl_safe.kube.session import Reply, Session, read_object, refusal
from kubectl_safe.model.connection import Connection

if TYPE_CHECKING:
    from kubectl_safe.model.trace import Trace

Query = Mapping[str, str]

_CALL_SECONDS = 30.0
_HEADER_SECONDS = 10.0
_READ_TRIES = 5
_LONGEST_RETRY_AFTER = 30.0
_CHUNK = 1 << 16
_FAILED = 400
_LONGEST_LINE = 8 << 20
"""Bytes of an event: etcd takes no object of more than 1.5 MiB."""
_UNAUTHORIZED = 401


def connect(connection: Connection, *, now: Callable[[], datetime]) -> "Client":
    """Return a client of the API server that flags lead to; nothing is sent yet.

    Args:
        connection: kubectl's global flags.
        now: reads the clock, to tell how far the server's is off.

    Raises:
        ConfigError: in kubectl's words.
    """
    return Client(login(connection), now=now, within=connection.request_timeout)


class Client:
    """A client of one API server, safe to share between threads.

    Args:
        way: to the server.
        now: reads the clock.
        within: for the whole of each answer; None leaves them their time. A watch is no single answer.
    """

    def __init__(self, way: Login, *, now: Callable[[], datetime], within: timedelta | None = None) -> None:
        self.namespace = way.namespace
        self.clock_offset = timedelta(0)
        """What to add to our clock to get the server's; `Date` headers tell whole seconds, so it is coarse."""
        self.read_tries = _READ_TRIES
        """How often a GET is sent that fails for the moment."""
        self.trace: Trace | None = None
        """Who sees every exchange; of a watch only that it was opened."""
        self._way = way
        self._now = now
        self._within = within.total_seconds() if within else None
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
        accept: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON; a GET that fails for the moment is tried again.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: from `/api` or `/apis` on.
            query: parameters of the query string.
            body: what becomes JSON.
            content_type: of the body; None means `application/json`.
            accept: the form of the answer; None means `application/json`.
            timeout: seconds without a byte of the answer; None means the usual ones, or those that the user wants.

        Raises:
            ApiError: the server's refusal.
            Unreachable: there was no answer.
        """
        silence = timeout or self._within or _CALL_SECONDS
        backoff = Backoff(first=0.2, longest=5)
        tries = self.read_tries if method == "GET" else 1
        while True:
            tries -= 1
            try:
                reply = self._send(
                    method, path, query, body=body, content_type=content_type, accept=accept, timeout=silence
                )
                return read_object(reply.data or b"", self.server)
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
        response = self._send("GET", path, query, timeout=_HEADER_SECONDS, is_watch=True).response
        connection = getattr(response, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(read_timeout)
        return Stream(response, self.server)

    def _send(self, method: str, path: str, query: Query | None, **options: Any) -> Reply:
        """Return the answer; after a 401 the credentials are taken anew and it is sent once more."""
        session = self._current_session()
        try:
            return self._send_once(session, method, path, query, **options)
        except ApiError as error:
            # Tokens of credential plugins live for minutes, and files with tokens are replaced: a run outlives both.
            # A request that was not authenticated did nothing, so a write may be sent again, too.
            if error.status != _UNAUTHORIZED:
                raise
            return self._send_once(self._renew(session, error), method, path, query, **options)

    def _current_session(self) -> Session:
        """Return the session, with other credentials where those that it has are known to have expired."""
        session = self._session
        if session.expires is None or self._now() < session.expires:
            return session
        return self._renew(session, ApiError("the credentials have expired", status=_UNAUTHORIZED))

    def _send_once(
        self,
        session: Session,
        method: str,
        path: str,
        query: Query | None,
        *,
        timeout: float,
        is_watch: bool = False,
        body: Any = None,
        content_type: str | None = None,
        accept: str | None = None,
    ) -> Reply:
        with self._lock:
            headers = session.headers()
        if accept is not None:
            headers["Accept"] = accept
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        data = None if body is None else json.dumps(body).encode()
        sent = self._now()
        asked = f"{method} {session.url(path, query)}"
        try:
            reply = session.send(
                method,
                path,
                query,
                body=data,
                headers=headers,
                timeout=timeout,
                within=self._within,
                is_watch=is_watch,
            )
        except Unreachable as error:
            self._tell(asked, headers, data, sent, error)
            raise
        self._compare_clocks(reply.headers.get("Date"), sent)
        self._tell(asked, headers, data, sent, reply)
        if reply.status >= _FAILED:
            raise refusal(reply, masked=session.masked)
        return reply

    def _tell(
        self, asked: str, headers: Mapping[str, str], body: bytes | None, sent: datetime, came: Reply | ApiError
    ) -> None:
        """Show what came of a request."""
        if self.trace is None:
            return
        from kubectl_safe.kube.trace import exchange

        self.trace(exchange(asked, headers, body, came, took=self._now() - sent))

    def _renew(self, old: Session, error: ApiError) -> Session:
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
                if len(rest) > _LONGEST_LINE:
                    raise Unreachable(f"the watch on {self._server} told more than {_LONGEST_LINE >> 20} MiB at once")
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable(f"the watch on {self._server} was cut: {error}") from error
        finally:
            self._response.close()

    def close(self) -> None:
        """End the iteration at once."""
        # Only reading is shut down: closing here would wait for the lock that the reading thread holds.
        with contextlib.suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()
