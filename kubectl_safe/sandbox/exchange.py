"""One HTTP exchange on a connection of its own, with the exact way in which it failed where it did.

It parses no more than the rig needs and reads to the end of the connection, because what is counted here is how
connections end. It never retries.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, cast

Address = tuple[str, int]

_RESET_ERRORS = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


class Dial(NamedTuple):
    """Where the next request goes, None where nothing listens, and the pod that is meant, where that is known."""

    address: Address | None
    pod: str = ""


class Fault(StrEnum):
    """How an exchange went wrong below HTTP."""

    REFUSED = "refused"
    RESET = "reset"
    TRUNCATED = "truncated"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a whole answer where `fault` is None, and otherwise as much of it as came."""

    status: int = 0
    headers: dict[str, str]
    body: bytes = b""
    fault: Fault | None = None


async def exchange(address: Address | None, path: str, *, host: str, within: float) -> Answer:
    """GET a path from an address and return the answer; no address at all counts as refused."""
    if address is None:
        return Answer(headers={}, fault=Fault.REFUSED)
    loop = asyncio.get_running_loop()
    connection: _Connection | None = None
    try:
        async with asyncio.timeout(within):
            transport, connection = await loop.create_connection(
                lambda: _Connection(loop.create_future(), request(path, host)), *address
            )
            try:
                fault = await connection.ended
            finally:
                transport.abort()
    except TimeoutError:
        return _answer(connection, Fault.TIMEOUT)
    except _RESET_ERRORS:
        return _answer(connection, Fault.RESET)
    except OSError:
        return _answer(connection, Fault.REFUSED)
    return _answer(connection, fault)


def request(path: str, host: str, *, keep: bool = False) -> bytes:
    """Return the bytes of a GET request."""
    connection = "keep-alive" if keep else "close"
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n\r\n".encode("latin-1")


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status (0 where there is none) and the headers, in lower case, of an answer's head."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    words = first.split(" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return status, headers


class _Connection(asyncio.Protocol):
    """Sends one request and collects bytes until the connection ends."""

    def __init__(self, ended: "asyncio.Future[Fault | None]", sent: bytes) -> None:
        self.ended = ended
        self.received = bytearray()
        self._sent = sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._sent)

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None if exc is None else Fault.RESET)


def _answer(connection: _Connection | None, fault: Fault | None) -> Answer:
    received = bytes(connection.received) if connection else b""
    head, separator, rest = received.partition(b"\r\n\r\n")
    status, headers = parse_head(head)
    if not separator:
        return Answer(status=status, headers=headers, fault=fault or Fault.TRUNCATED)
    body = _whole_body(headers, rest)
    if body is None:
        return Answer(status=status, headers=headers, body=rest, fault=fault or Fault.TRUNCATED)
    # A reset after the last byte of a framed answer took nothing from the client.
    return Answer(status=status, headers=headers, body=body)


def _whole_body(headers: dict[str, str], received: bytes) -> bytes | None:
    """Return the body, or None where its framing says that some of it is missing."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _dechunked(received)
    length = int(headers.get("content-length", len(received)))
    return received if len(received) == length else None


def _dechunked(received: bytes) -> bytes | None:
    body = bytearray()
    while True:
        size, separator, received = received.partition(b"\r\n")
        length = -1
        with contextlib.suppress(ValueError):
            length = int(size, 16)
        if not separator or length < 0 or len(received) < length + 2:
            return None
        if length == 0:
            return bytes(body)
        body += received[:length]
        received = received[length + 2 :]
