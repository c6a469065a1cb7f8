"""Clients that keep one connection open to one pod: what no tool can move, and so is counted apart.

Each takes its pod from the Service's proxy once, asks it every half a second, and connects anew after a break.
"""

import asyncio
from typing import Self

from kubectl_safe.sandbox.exchange import Address, parse_head, request
from kubectl_safe.sandbox.traffic import Way

_MOST_CLIENTS = 100
_PERIOD_SECONDS = 0.5
_ANSWER_SECONDS = 10.0


class KeptConnections:
    """So many clients on a way in, as an async context manager."""

    def __init__(self, way: Way, *, clients: int = 10) -> None:
        if clients > _MOST_CLIENTS:
            raise ValueError(f"clients is {clients}: at most {_MOST_CLIENTS}")
        self.answered = 0
        self.broken = 0
        self._way = way
        self._clients = clients
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self._clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    async def _client(self) -> None:
        while True:
            address = self._way.dial().address
            try:
                if address is not None:
                    await self._keep(address)
            except (OSError, EOFError, TimeoutError):
                self.broken += 1
            await asyncio.sleep(_PERIOD_SECONDS)

    async def _keep(self, address: Address) -> None:
        """Ask over one connection until it breaks."""
        reader, writer = await asyncio.open_connection(*address)
        try:
            while True:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    writer.write(request("/", self._way.host, keep=True))
                    _status, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
                    await reader.readexactly(int(headers["content-length"]))
                self.answered += 1
                await asyncio.sleep(_PERIOD_SECONDS)
        finally:
            writer.transport.abort()
