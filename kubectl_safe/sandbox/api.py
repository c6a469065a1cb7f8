"""An asyncio client of one API server, JSON in and out, for the sandbox's own actors.

It must not decide anything: a refusal is an `ApiError` for the caller to judge, and only a watch tries again by itself.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp

_log = logging.getLogger(__name__)

# The API server sends a bookmark about once a minute: a watch that is silent for longer has stalled.
_WATCH_SILENCE_SECONDS = 130
_WATCH_SECONDS = "300"
_SHORTEST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_CALL_SECONDS = 30
_GONE = 410


class ApiError(Exception):
    """What the API server answered instead of the object; status 0 means that it could not be reached."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Event(NamedTuple):
    """One change that a watch tells of.

    The type is ADDED, MODIFIED or DELETED, or SYNCED (with an empty object) once, after the first list.
    """

    type: str
    object: dict[str, Any]


class Api:
    """A client of the API server at a URL, used as an async context manager."""

    def __init__(self, url: str, *, token: str, ca_file: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # No limit on connections: every watch holds one for as long as it lasts.
        tls = ssl.create_default_context(cafile=str(self._ca_file)) if self._ca_file else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls),
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the object or the list at the path."""
        return await self._call("GET", path, query)

    async def get_text(self, path: str) -> str:
        """Return what is no JSON, such as `/readyz`."""
        return (await self._read("GET", path, {})).decode()

    async def create(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        """POST the body to a collection or a subresource."""
        return await self._call("POST", path, query, body)

    async def replace(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        """PUT the body in place of the object at the path."""
        return await self._call("PUT", path, query, body)

    async def patch(self, path: str, body: Any, *, kind: str = "strategic-merge-patch", **query: str) -> dict[str, Any]:
        """Patch the object at the path; the kind is `strategic-merge-patch`, `merge-patch` or `json-patch`."""
        return await self._call("PATCH", path, query, body, content_type=f"application/{kind}+json")

    async def delete(self, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Delete the object at the path, with DeleteOptions as the body."""
        return await self._call("DELETE", path, query, body)

    async def watch(self, path: str, **query: str) -> AsyncGenerator[Event, None]:
        """Yield the objects of a collection and then every change to them, until it is cancelled.

        After a 410 or a cut connection it lists again and tells what changed meanwhile, so a consumer's picture stays
        whole. A list that is refused (a CRD that is not there yet, say) is tried again. Who leaves it early closes it,
        with `contextlib.aclosing`, or its connection stays open for a while.
        """
        known: dict[str, dict[str, Any]] = {}
        synced = False
        pause = _SHORTEST_PAUSE_SECONDS
        while True:
            try:
                listed = await self._call("GET", path, query)
                for event in _differences(known, listed):
                    yield event
                if not synced:
                    synced = True
                    yield Event("SYNCED", {})
                pause = _SHORTEST_PAUSE_SECONDS
                version = listed["metadata"]["resourceVersion"]
                async with aclosing(self._changes(path, query, version)) as changes:
                    async for event in changes:
                        _remember(known, event)
                        yield event
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                _log.debug("watch of %s is made anew: %s", path, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _changes(self, path: str, query: dict[str, str], version: str) -> AsyncGenerator[Event, None]:
        """Yield changes after a resourceVersion, across watches that end in good order, until one does not."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_WATCH_SILENCE_SECONDS)
        while True:
            asked = {
                **query,
                "watch": "true",
                "resourceVersion": version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": _WATCH_SECONDS,
            }
            async with self._open.get(self.url + path, params=asked, timeout=timeout) as response:
                if response.status >= 400:
                    raise await _error(response)
                async for line in _lines(response):
                    event = json.loads(line)
                    changed = event["object"]
                    if event["type"] == "ERROR":
                        raise ApiError(
                            changed.get("code", _GONE), changed.get("reason", ""), changed.get("message", "")
                        )
                    version = changed["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield Event(event["type"], changed)
            # A watch that ends empty at once must not become a busy loop.
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Api is used outside of its `async with`")
        return self._session

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self._read(method, path, query, body, content_type=content_type))
        return answer

    async def _read(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = None if data is None else {"Content-Type": content_type}
        try:
            async with self._open.request(
                method, self.url + path, params=query, data=data, headers=headers
            ) as response:
                if response.status >= 400:
                    raise await _error(response)
                return await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, "Unreachable", f"{method} {path}: {error!r}") from error


def _differences(known: dict[str, dict[str, Any]], listed: dict[str, Any]) -> list[Event]:
    """Tell how a list differs from what is known, and make it what is known; what vanished comes first."""
    # Items of a list carry no kind of their own, objects of a watch do.
    kind = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}
    items = {item["metadata"]["uid"]: {**kind, **item} for item in listed.get("items") or []}
    events = [Event("DELETED", known[uid]) for uid in known if uid not in items]
    for uid, item in items.items():
        before = known.get(uid)
        if before is None:
            events.append(Event("ADDED", item))
        elif before["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            events.append(Event("MODIFIED", item))
    known.clear()
    known.update(items)
    return events


def _remember(known: dict[str, dict[str, Any]], event: Event) -> None:
    uid = event.object["metadata"]["uid"]
    if event.type == "DELETED":
        known.pop(uid, None)
    else:
        known[uid] = event.object


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Yield whole lines of any length; StreamReader.readline refuses those over its limit."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


async def _error(response: aiohttp.ClientResponse) -> ApiError:
    text = await response.text()
    try:
        status = json.loads(text)
    except ValueError:
        status = None
    if not isinstance(status, dict):
        return ApiError(response.status, response.reason or "", text)
    return ApiError(response.status, status.get("reason", ""), status.get("message", ""))
