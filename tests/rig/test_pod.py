"""What a pod's server does to the connections that it holds."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import aiohttp
import pytest

from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.pod import END_LINE, PodServer, Sigterm, is_whole
from tests.support.loop import eventually


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await test

    asyncio.run(bounded())


async def a_server(name: str = "web-1") -> tuple[PodServer, str]:
    server = PodServer(name)
    host, port = await server.start()
    return server, f"http://{host}:{port}"


async def a_started_stream(session: aiohttp.ClientSession, url: str, *, seconds: float) -> aiohttp.ClientResponse:
    response = await session.get(f"{url}/stream?seconds={seconds}")
    await response.content.readany()
    return response


def test_answers_are_whole_and_name_their_pod() -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session:
            for path in ("/", "/stream?seconds=0.1"):
                async with session.get(url + path) as response:
                    body = await response.read()
                    assert (response.status, response.headers["X-Pod"], is_whole(body)) == (200, "web-1", True)
            assert len(server.connections) == 1, "one connection is kept for both"
        server.kill()
        await server.wait_exited()

    run(claim())


def test_a_stream_lasts_as_long_as_it_was_asked_to() -> None:
    async def claim() -> None:
        server, url = await a_server()
        began = asyncio.get_running_loop().time()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/stream?seconds=0.6") as response:
            assert (await response.read()).endswith(END_LINE)
        assert 0.6 <= asyncio.get_running_loop().time() - began < 3
        server.kill()
        await server.wait_exited()

    run(claim())


def test_requests_under_way_are_counted_until_they_are_answered() -> None:
    async def claim() -> None:
        server, url = await a_server()
        server.work_seconds = 0.3
        async with aiohttp.ClientSession() as session:
            short = asyncio.create_task(session.get(url))
            stream = await a_started_stream(session, url, seconds=0.3)
            assert server.in_flight == 2
            await stream.read()
            (await short).release()
            assert server.in_flight == 0
        server.kill()
        await server.wait_exited()

    run(claim())


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/nothing-there", 404)])
def test_other_paths_are_answered(path: str, status: int) -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session, session.get(url + path) as response:
            assert response.status == status
        server.kill()
        await server.wait_exited()

    run(claim())


def test_abrupt_resets_an_open_stream() -> None:
    async def claim() -> None:
        server, url = await a_server()
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /stream?seconds=5 HTTP/1.1\r\nHost: pod\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        server.terminate("abrupt")
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)
        await server.wait_exited()
        assert server.in_flight == 0
        writer.close()

    run(claim())


def test_graceful_finishes_an_open_stream_then_exits() -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session:
            stream = await a_started_stream(session, url, seconds=0.6)
            server.terminate("graceful")
            assert not server.has_exited
            assert is_whole(await stream.read())
        await server.wait_exited()

    run(claim())


@pytest.mark.parametrize("kind", ["abrupt", "graceful"])
def test_no_connection_is_accepted_after_sigterm(kind: Sigterm) -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session:
            stream = await a_started_stream(session, url, seconds=0.3)
            server.terminate(kind)
            async with aiohttp.ClientSession() as other:
                with pytest.raises(aiohttp.ClientConnectorError):
                    await other.get(url)
            stream.close()
        await server.wait_exited()

    run(claim())


def test_a_connection_that_is_accepted_in_the_turn_of_sigterm_is_not_left_open() -> None:
    async def claim() -> None:
        server, url = await a_server()
        loop = asyncio.get_running_loop()
        host, port = url.removeprefix("http://").split(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(5)]
        # The loop accepts them in this turn, after what is called here, and gives them transports in the next.
        await asyncio.sleep(0)
        loop.call_soon(server.terminate, "abrupt")
        for client in clients:
            client.setblocking(False)
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(loop.sock_recv(client, 1), 2)
            client.close()
        await server.wait_exited()

    run(claim())


def test_graceful_closes_a_connection_that_idles_at_once() -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                await response.read()
            assert server.connections
            server.terminate("graceful")
            await eventually(lambda: server.has_exited, seconds=2, what="the exit")

    run(claim())


def test_graceful_answers_the_first_request_of_a_connection_that_came_before_sigterm() -> None:
    async def claim() -> None:
        server, url = await a_server()
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await eventually(lambda: bool(server.connections), what="the connection")
        server.terminate("graceful")
        writer.write(b"GET / HTTP/1.1\r\nHost: pod\r\n\r\n")
        assert is_whole(await reader.read(-1))
        await server.wait_exited()
        writer.close()

    run(claim())


def test_graceful_does_not_wait_for_a_request_that_never_comes() -> None:
    async def claim() -> None:
        server, url = await a_server()
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await eventually(lambda: bool(server.connections), what="the connection")
        server.terminate("graceful")
        assert await reader.read(-1) == b""
        await server.wait_exited()
        writer.close()

    run(claim())


def test_a_kill_ends_what_graceful_still_finishes() -> None:
    async def claim() -> None:
        server, url = await a_server()
        async with aiohttp.ClientSession() as session:
            stream = await a_started_stream(session, url, seconds=5)
            server.terminate("graceful")
            server.kill()
            with pytest.raises(aiohttp.ClientError):
                await stream.read()
        await server.wait_exited()

    run(claim())


def test_the_network_leads_to_a_pod_until_it_is_detached() -> None:
    network, server = PodNetwork(), PodServer("web-1")
    network.register("uid-1", "10.244.0.2", server)
    network.attach("10.244.0.2", 80, ("127.0.0.1", 40000))
    assert network.address("10.244.0.2", 80) == ("127.0.0.1", 40000)
    assert network.address("10.244.0.2", 81) is None
    network.detach("10.244.0.2")
    assert network.address("10.244.0.2", 80) is None
    assert network.server("10.244.0.2") is network.server_of("uid-1") is server
    network.unregister("uid-1")
    assert network.server("10.244.0.2") is network.server_of("uid-1") is None
