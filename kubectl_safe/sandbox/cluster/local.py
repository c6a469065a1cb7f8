"""The door in process: the sandbox's client of an API server, answered by a model without any I/O.

Calls and events take a moment whose length comes from a seed, as they would on a network.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from random import Random
from typing import TYPE_CHECKING, Any, Self

from kubectl_safe.sandbox.api import Api, ApiError, Event
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.requests import Request, User
from kubectl_safe.sandbox.cluster.server import Server
from kubectl_safe.sandbox.cluster.watching import Told

if TYPE_CHECKING:
    from kubectl_safe.sandbox.cluster.objects import Json

LAG_SECONDS = (0.0005, 0.005)


class LocalApi(Api):
    """A client of a model's API server.

    What it returns is shared with the model: it is to be read, not changed.

    Args:
        server: what answers.
        user: who asks.
        random: chooses how long each call and each event takes.
        lag: the least and the longest of that, in seconds.
    """

    def __init__(self, server: Server, user: User, *, random: Random, lag: tuple[float, float] = LAG_SECONDS) -> None:
        super().__init__("http://embedded.invalid", token="")
        self._server = server
        self._user = user
        self._random = random
        self._lag = lag

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        # The request arrives after the lag; what it leads to is told by watches, which lag for themselves.
        await asyncio.sleep(self._random.uniform(*self._lag))
        request = Request(method=method, path=path, query=query, body=body, content_type=content_type, user=self._user)
        answer = self._server.answer(request)
        if isinstance(answer.body, str):
            raise ApiError(answer.status, "", answer.body)
        if answer.status >= 400:
            raise ApiError(answer.status, answer.body.get("reason", ""), answer.body.get("message", ""))
        return answer.body

    async def _read(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> bytes:
        request = Request(method=method, path=path, query=query, body=body, content_type=content_type, user=self._user)
        answer = self._server.answer(request)
        return answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()

    async def _changes(self, path: str, query: dict[str, str], version: str) -> AsyncGenerator[Event, None]:
        waiting: deque[Told] = deque()
        has_come = asyncio.Event()

        def tell(event: Told) -> None:
            waiting.append(event)
            has_come.set()

        asked = {**query, "watch": "true", "resourceVersion": version}
        try:
            watch = self._server.watch(Request(method="GET", path=path, query=asked, user=self._user), tell)
        except RefusalError as refusal:
            raise ApiError(refusal.code, refusal.reason, refusal.message) from refusal
        try:
            while True:
                await has_come.wait()
                has_come.clear()
                await asyncio.sleep(self._random.uniform(*self._lag))
                while waiting:
                    event = waiting.popleft()
                    changed: Json = event["object"]
                    yield Event(event["type"], changed)
        finally:
            watch.close()
