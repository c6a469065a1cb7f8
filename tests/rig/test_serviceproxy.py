"""The sandbox's kube-proxy hears of changes late and in order."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest

from kubectl_safe.sandbox.api import Api, Event
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.serviceproxy import ServiceProxy
from tests.support.loop import eventually

LAG = (0.2, 0.6)


class ScriptedApi(Api):
    """An API whose only watch tells what the test says."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:0", token="")
        self.events: asyncio.Queue[Event] = asyncio.Queue()

    async def watch(self, path: str, **query: str) -> AsyncGenerator[Event, None]:  # noqa: ARG002
        while True:
            yield await self.events.get()


def a_slice(*ready: int, terminating: tuple[int, ...] = (), gone: tuple[int, ...] = ()) -> dict[str, Any]:
    endpoints = [(number, {"ready": True}) for number in ready]
    endpoints += [(number, {"ready": False, "serving": True, "terminating": True}) for number in terminating]
    endpoints += [(number, {"ready": False, "serving": False, "terminating": True}) for number in gone]
    return {
        "metadata": {"namespace": "default", "name": "web-abc"},
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [
            {
                "addresses": [f"10.244.0.{number}"],
                "conditions": conditions,
                "targetRef": {"kind": "Pod", "name": f"web-{number}"},
            }
            for number, conditions in endpoints
        ],
    }


def proxied(
    claim: Callable[[ScriptedApi, ServiceProxy], Coroutine[Any, Any, None]], first: dict[str, Any] | None = None
) -> None:
    async def scenario() -> None:
        api = ScriptedApi()
        network = PodNetwork()
        for number in range(1, 5):
            network.attach(f"10.244.0.{number}", 8080, ("127.0.0.1", 40000 + number))
        proxy = ServiceProxy(api, network, namespace="default", service="web", lag=LAG)
        api.events.put_nowait(Event("ADDED", first or a_slice(1, 2)))
        api.events.put_nowait(Event("SYNCED", {}))
        running = asyncio.create_task(proxy.run())
        try:
            await proxy.synced.wait()
            await claim(api, proxy)
        finally:
            running.cancel()
            await asyncio.wait([running])
            if not running.cancelled():
                running.result()

    asyncio.run(scenario())


def dialed(proxy: ServiceProxy) -> set[str]:
    return {proxy.dial().pod for _ in range(50)}


def test_connections_go_to_the_ready_endpoints_by_the_pod_network() -> None:
    async def claim(_api: ScriptedApi, proxy: ServiceProxy) -> None:
        assert {proxy.dial() for _ in range(50)} == {
            (("127.0.0.1", 40001), "web-1"),
            (("127.0.0.1", 40002), "web-2"),
        }

    proxied(claim)


def test_an_endpoint_without_a_ready_condition_is_ready() -> None:
    unsaid = a_slice(1)
    del unsaid["endpoints"][0]["conditions"]

    async def claim(_api: ScriptedApi, proxy: ServiceProxy) -> None:
        assert dialed(proxy) == {"web-1"}

    proxied(claim, unsaid)


def test_an_update_takes_effect_only_after_the_lag() -> None:
    async def claim(api: ScriptedApi, proxy: ServiceProxy) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        api.events.put_nowait(Event("MODIFIED", a_slice(2)))
        await eventually(lambda: dialed(proxy) == {"web-2"})
        assert LAG[0] <= clock() - began <= LAG[1] + 0.2

    proxied(claim)


def test_updates_keep_their_order() -> None:
    async def claim(api: ScriptedApi, proxy: ServiceProxy) -> None:
        for number in (1, 2, 1, 2, 1, 2, 1, 2, 3):
            api.events.put_nowait(Event("MODIFIED", a_slice(number)))
        await eventually(lambda: dialed(proxy) == {"web-3"})
        # The last word stays the last.
        with pytest.raises(AssertionError):
            await eventually(lambda: dialed(proxy) != {"web-3"}, seconds=LAG[1] + 0.2)

    proxied(claim)


def test_terminating_endpoints_serve_only_where_none_is_ready() -> None:
    async def claim(api: ScriptedApi, proxy: ServiceProxy) -> None:
        assert dialed(proxy) == {"web-1"}
        api.events.put_nowait(Event("MODIFIED", a_slice(terminating=(2, 3), gone=(4,))))
        await eventually(lambda: dialed(proxy) == {"web-2", "web-3"})

    proxied(claim, a_slice(1, terminating=(2,)))


def test_without_endpoints_there_is_nowhere_to_dial() -> None:
    async def claim(api: ScriptedApi, proxy: ServiceProxy) -> None:
        api.events.put_nowait(Event("DELETED", a_slice(1, 2)))
        await eventually(lambda: proxy.dial().address is None)

    proxied(claim)
