"""The door over HTTP: the model's API server on a port of 127.0.0.1, in real time.

Plain HTTP: what goes over loopback needs no certificates. Clients of Go send no token without TLS, so a user's URL
bears it, as `/as/TOKEN`; a bearer token does as well.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web

from kubectl_safe.sandbox.cluster import protobuf, refusals
from kubectl_safe.sandbox.cluster.discovery import AGGREGATED, wants_aggregated
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.requests import Answer, Request, User
from kubectl_safe.sandbox.cluster.server import Server
from kubectl_safe.sandbox.cluster.watching import Told

_PREFIX = "/as/"
_BOOKMARK_SECONDS = 60.0
_WATCH_SECONDS = 1800.0
_LARGEST_BODY = 3 * 1024 * 1024
_PROTOBUF = "application/vnd.kubernetes.protobuf"


class HttpServer:
    """Serves a model's API, as an async context manager.

    Args:
        server: what answers.
        users: users by their tokens.
    """

    def __init__(self, server: Server, users: Mapping[str, User]) -> None:
        self.url = ""
        self._server = server
        self._users = users
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        # A watch whose client is gone is cancelled.
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def url_of(self, token: str) -> str:
        """Return the URL of the user with a token."""
        return f"{self.url}{_PREFIX}{token}"

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        try:
            request = await self._read(http)
            if request.is_watch:
                return await self._watch(http, request)
            answer = self._server.answer(request)
        except RefusalError as refusal:
            answer = Answer(status=refusal.code, body=refusal.status, retry_after=refusal.retry_after)
            return _response(answer)
        return _response(answer, is_aggregated=request.path in ("/api", "/apis") and wants_aggregated(request))

    async def _read(self, http: web.Request) -> Request:
        path, token = http.path, http.headers.get("Authorization", "").removeprefix("Bearer ")
        if path.startswith(_PREFIX):
            token, _, rest = path.removeprefix(_PREFIX).partition("/")
            path = f"/{rest}"
        user = self._users.get(token)
        if user is None:
            raise RefusalError(401, "Unauthorized", "Unauthorized")
        return Request(
            method=http.method,
            path=path,
            query=dict(http.query),
            body=_body(await http.read(), http.content_type),
            content_type=http.content_type,
            accept=http.headers.get("Accept", ""),
            user=user,
        )

    async def _watch(self, http: web.Request, request: Request) -> web.StreamResponse:
        """Send events as they come, a bookmark now and then, until the time that was asked for is over."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Told] = asyncio.Queue()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        try:
            watch = self._server.watch(request, events.put_nowait)
        except RefusalError as refusal:
            if refusal.code != 410:
                raise
            # The version is judged once the stream is open.
            await response.prepare(http)
            await response.write(_line({"type": "ERROR", "object": refusal.status}))
            await response.write_eof()
            return response
        bookmarks = request.query.get("allowWatchBookmarks") == "true"
        ends = loop.time() + float(request.query.get("timeoutSeconds") or _WATCH_SECONDS)
        try:
            await response.prepare(http)
            while (left := ends - loop.time()) > 0:
                try:
                    async with asyncio.timeout(min(left, _BOOKMARK_SECONDS)):
                        lines = _line(await events.get())
                except TimeoutError:
                    if bookmarks:
                        await response.write(_line(watch.bookmark()))
                    continue
                while not events.empty():
                    lines += _line(events.get_nowait())
                await response.write(lines)
            await response.write_eof()
        except ConnectionError:
            pass  # the client is gone
        finally:
            watch.close()
        return response


def _body(data: bytes, content_type: str) -> Any:
    if not data:
        return None
    if content_type == _PROTOBUF:
        return protobuf.decode(data)
    try:
        return json.loads(data)
    except ValueError as error:
        raise refusals.bad_request(f"couldn't read the body as JSON: {error}") from error


def _response(answer: Answer, *, is_aggregated: bool = False) -> web.Response:
    if isinstance(answer.body, str):
        return web.Response(text=answer.body, status=answer.status)
    content_type = AGGREGATED if is_aggregated else "application/json"
    headers = {"Content-Type": content_type}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    return web.Response(body=json.dumps(answer.body).encode(), status=answer.status, headers=headers)


def _line(event: Told) -> bytes:
    return json.dumps(event).encode() + b"\n"
