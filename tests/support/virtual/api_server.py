"""The tool's connections to the embedded API server, in place of sockets: its own client and watches work with them."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from urllib3.exceptions import ProtocolError, ReadTimeoutError

from kubectl_safe.kube.session import Session
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.requests import Answer, Request, User
from kubectl_safe.sandbox.cluster.server import Server
from tests.support.virtual.calls import Befalling, Call, Response, Told
from tests.support.virtual.process import Process, Wait, current

OURS = User(name="kubectl-safe", groups=("system:masters",))
EVENT_SECONDS = (0.001, 0.2)
BOOKMARK_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that arrived."""

    sent: float
    at: float
    """When it arrived, on the loop's clock."""
    process: Process
    request: Request
    answer: Answer


def is_write(request: Request) -> bool:
    """Tell whether something is to be changed in earnest; reviews only look like it."""
    return request.method != "GET" and not request.is_dry_run and not request.path.endswith("accessreviews")


@dataclass(kw_only=True)
class Door:
    """What all connections lead to."""

    server: Server
    befalling: Befalling = field(default_factory=Befalling)
    asked: list[Asked] = field(default_factory=list)
    streams: list["WatchStream"] = field(default_factory=list)

    def answer(self, request: Request, *, sent: float) -> Answer:
        """Have a request answered, and note it."""
        answer = self.server.answer(request)
        process = current()
        self.asked.append(Asked(sent=sent, at=process.loop.time(), process=process, request=request, answer=answer))
        return answer

    def writes(self) -> list[Asked]:
        """Return what was written in earnest, whether it was accepted or not."""
        return [asked for asked in self.asked if is_write(asked.request)]


class VirtualSession(Session):
    """The connections of one client; `door` is what a login loads in place of credentials."""

    expires = None

    def __init__(self, door: Door) -> None:
        self.host = "https://embedded.invalid"
        self._pool = _Pool(door)

    def headers(self) -> dict[str, str]:
        return {"Accept": "application/json"}

    def masked(self, text: str) -> str:
        return text

    def _through(self) -> str:
        return ""

    def close(self) -> None:
        pass


class _Pool:
    def __init__(self, door: Door) -> None:
        self._door = door

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: Any,
        **_: Any,
    ) -> Any:
        process, parts = current(), urlsplit(url)
        request = Request(
            method=method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            body=None if body is None else json.loads(body),
            content_type=headers.get("Content-Type", "application/json"),
            user=OURS,
        )
        befalling, opened = self._door.befalling, list[WatchStream]()
        is_watch = request.query.get("watch") == "true"

        def open_watch(request: Request) -> Answer:
            opened.append(WatchStream(self._door, process, request))
            self._door.streams += opened
            return Answer(body="")

        call = Call(
            process=process,
            number=befalling.next(),
            request=request,
            read_timeout=timeout.read_timeout,
            ask=partial(self._door.answer, sent=process.loop.time()) if not is_watch else open_watch,
            respond=lambda answer: _response(process, answer) if not is_watch else opened[0],
            store=self._door.server.model.store,
        )
        fault = befalling.call(call)
        return fault(call) if fault else call.plainly()


def _response(process: Process, answer: Answer) -> Response:
    headers = {"Date": formatdate(process.loop.wall(), usegmt=True)}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    data = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
    return Response(answer.status, data, headers)


class WatchStream:
    """The response to a watch: events come late, each kind for itself, and at last it ends."""

    status = 200
    reason = ""
    headers: Mapping[str, str] = {}

    def __init__(self, door: Door, process: Process, request: Request) -> None:
        self.connection = self.sock = self
        self.is_silent = False
        """Whether nothing comes any more, although nobody knows."""
        self.has_ended = False
        self.lag = EVENT_SECONDS
        self.process = process
        self._door = door
        self._kind = request.path.rpartition("/")[2]
        self._waiting: deque[dict[str, Any]] = deque()
        self._lines: deque[bytes] = deque()
        self._reader: Wait | None = None
        self._is_shut = self._is_due = False
        self._silence: float | None = None
        self._watch: Any = None
        loop = process.loop
        try:
            self._watch = door.server.watch(request, self._tell)
        except RefusalError as refusal:
            self._put({"type": "ERROR", "object": refusal.status})
            self.has_ended = True
            return
        process.at_its_end.append(self._watch.close)
        loop.call_later(float(request.query.get("timeoutSeconds") or 1800), self.end)
        loop.call_later(BOOKMARK_SECONDS, self._mark)

    def settimeout(self, seconds: float) -> None:
        self._silence = seconds

    def read1(self, _: int) -> bytes:
        process = self.process
        while not self._lines:
            if self._is_shut:
                raise ProtocolError("the connection was closed")
            if self.has_ended:
                return b""
            self._reader = process.wait(None if self._silence is None else process.loop.time() + self._silence)
            if not self._reader.run() and not self._lines and not self.has_ended:
                raise ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]  # nobody reads the pool
        lines = b"".join(self._lines)
        self._lines.clear()
        return lines

    def shutdown(self) -> None:
        self._is_shut = True
        self._wake()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()

    def end(self) -> None:
        """End it in good order, as after the time that was asked for."""
        self.close()
        if not self.is_silent:
            self.has_ended = True
            self._wake()

    def put(self, event: dict[str, Any]) -> None:
        """Have an event be read now."""
        self._put(event)
        self._wake()

    def hold(self, seconds: float, event: dict[str, Any]) -> None:
        """Have an event, and all that follow, be read so much later."""
        self._waiting.appendleft(event)
        self._is_due = True
        self.process.loop.call_later(seconds, self._deliver)

    def _mark(self) -> None:
        if not self.has_ended and self._watch is not None:
            if not self.is_silent:
                self.put(self._watch.bookmark())
            self.process.loop.call_later(BOOKMARK_SECONDS, self._mark)

    def _tell(self, event: dict[str, Any]) -> None:
        self._waiting.append(event)
        if not self._is_due:
            self._is_due = True
            self.process.loop.call_later(self.process.random.uniform(*self.lag), self._deliver)

    def _deliver(self) -> None:
        self._is_due = False
        befalling = self._door.befalling
        while self._waiting and not (self._is_due or self.is_silent or self.has_ended or self.process.is_over):
            event = self._waiting.popleft()
            told = Told(process=self.process, number=befalling.next(), kind=self._kind, event=event, stream=self)
            fault = befalling.told(told)
            if fault:
                fault(told)
            else:
                self._put(event)
        if self._lines or self.has_ended:
            self._wake()

    def _put(self, event: dict[str, Any]) -> None:
        self._lines.append(json.dumps(event).encode() + b"\n")

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.is_over:
            self._reader.wake()
