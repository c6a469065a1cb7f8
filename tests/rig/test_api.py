"""A watch of the sandbox's client keeps its consumer's picture whole."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

from aiohttp import web

from kubectl_safe.sandbox.api import Api

_Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


def an_object(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}


def a_list(version: int, *items: dict[str, Any]) -> web.Response:
    return web.json_response(
        {"apiVersion": "v1", "kind": "ThingList", "metadata": {"resourceVersion": str(version)}, "items": list(items)}
    )


def a_watch(*events: tuple[str, dict[str, Any]], cut: bool = False) -> _Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for kind, thing in events:
            await response.write(json.dumps({"type": kind, "object": thing}).encode() + b"\n")
        if cut and request.transport is not None:
            request.transport.close()
        return response

    return answer


async def told(
    lists: list[web.Response], watches: list[_Answer], count: int
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what a watch tells of a server with these answers, and from which versions it watched."""
    versions: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return lists.pop(0)
        versions.append(request.query["resourceVersion"])
        return await watches.pop(0)(request)

    application = web.Application()
    application.router.add_get("/things", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    seen: list[tuple[str, str]] = []
    async with (
        asyncio.timeout(10),
        Api(f"http://{host}:{port}", token="t") as api,
        aclosing(api.watch("/things")) as events,
    ):
        while len(seen) < count:
            event = await anext(events)
            seen.append((event.type, event.object.get("metadata", {}).get("name", "")))
    await runner.cleanup()
    return seen, versions


def test_what_vanished_while_the_connection_was_cut_is_told_as_deleted() -> None:
    seen, _ = asyncio.run(
        told(
            [
                a_list(5, an_object("kept", 1), an_object("lost", 2), an_object("changed", 3)),
                a_list(9, an_object("kept", 1), an_object("changed", 8), an_object("new", 9)),
            ],
            [a_watch(cut=True)],
            7,
        )
    )
    assert seen == [
        ("ADDED", "kept"),
        ("ADDED", "lost"),
        ("ADDED", "changed"),
        ("SYNCED", ""),
        ("DELETED", "lost"),
        ("MODIFIED", "changed"),
        ("ADDED", "new"),
    ]


def test_a_watch_that_is_too_old_lists_again() -> None:
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    seen, versions = asyncio.run(told([a_list(5), a_list(9, an_object("new", 9))], [a_watch(("ERROR", gone))], 2))
    assert seen == [("SYNCED", ""), ("ADDED", "new")]
    assert versions == ["5"]


def test_a_watch_that_ends_in_good_order_goes_on_where_it_was() -> None:
    seen, versions = asyncio.run(
        told(
            [a_list(5)],
            [
                a_watch(("ADDED", an_object("first", 6)), ("BOOKMARK", an_object("", 7))),
                a_watch(("ADDED", an_object("second", 8))),
            ],
            3,
        )
    )
    assert seen == [("SYNCED", ""), ("ADDED", "first"), ("ADDED", "second")]
    assert versions == ["5", "7"]
