"""The sandbox's traffic keeps its rate and accounts for every request, whatever becomes of it."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubectl_safe.sandbox.exchange import Address, Dial
from kubectl_safe.sandbox.kept import KeptConnections
from kubectl_safe.sandbox.pod import END_LINE, PodServer
from kubectl_safe.sandbox.traffic import Traffic, TrafficReport, Way
from tests.support.loop import eventually

Answerer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def way_to(address: Address | None, name: str = "service/web") -> Way:
    return Way(name=name, host="web", dial=lambda: Dial(address, "web-1"))


async def served(server: PodServer, *, seconds: float, rate: float = 100) -> TrafficReport:
    """Send traffic to one pod for a while, and return the account of it."""
    address = await server.start()
    async with Traffic([way_to(address)], rate=rate) as traffic:
        await asyncio.sleep(seconds)
    server.kill()
    await server.wait_exited()
    return traffic.report()


def lost_with(answer: bytes, *, resets: bool = False) -> tuple[str, str]:
    """Return reason and pod of the losses where every request gets the same bytes and then the end."""

    async def answerer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not resets:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if resets:
            writer.transport.abort()
        else:
            writer.close()
            await writer.wait_closed()

    async def scenario() -> TrafficReport:
        server = await asyncio.start_server(answerer, "127.0.0.1", 0)
        async with server, Traffic([way_to(server.sockets[0].getsockname())], rate=50) as traffic:
            await eventually(lambda: traffic.report().total > 3)
            await traffic.stop()
        return traffic.report()

    report = asyncio.run(scenario())
    assert report.ok == 0
    [lost] = {(loss.reason, loss.pod) for loss in report.losses}
    return lost


def test_requests_come_at_the_rate_and_all_are_answered() -> None:
    report = asyncio.run(served(PodServer("web-1"), seconds=2))
    assert report.total == pytest.approx(200, abs=15)
    assert report.lost == 0
    assert report.ok_by_pod == {"web-1": report.ok}


def test_the_rate_does_not_wait_for_answers() -> None:
    report = asyncio.run(served(PodServer("web-1", work_seconds=1.5), seconds=1))
    # On a busy machine the second takes longer; who waited for answers would come to one.
    assert report.total >= 85


def test_some_of_the_requests_are_streams_of_three_seconds() -> None:
    async def scenario() -> None:
        server = PodServer("web-1")
        address = await server.start()
        async with Traffic([way_to(address)], rate=200) as traffic:
            await asyncio.sleep(2)
            # Short ones take 5 ms: what is in flight now are streams, and none of them has ended.
            assert server.in_flight == pytest.approx(0.15 * 200 * 2, rel=0.4)
            await traffic.stop()
        server.kill()
        await server.wait_exited()
        assert traffic.report().lost == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502", id="a status that is not 200"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "truncated", id="less than its length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "truncated", id="no last chunk"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", "truncated", id="half a head"),
        pytest.param(b"", "truncated", id="nothing at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "wrong body", id="not what a pod answers"),
    ],
)
def test_anything_but_a_whole_correct_200_is_lost(answer: bytes, reason: str) -> None:
    assert lost_with(answer) == (reason, "web-1")


def test_a_reset_is_lost_as_one() -> None:
    assert lost_with(b"", resets=True)[0] == "reset"


def test_a_loss_names_the_pod_that_began_to_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Pod: web-7\r\nContent-Length: 9\r\n\r\nhalf"
    assert lost_with(answer) == ("truncated", "web-7")


def test_a_whole_answer_counts_even_when_the_connection_ends_badly() -> None:
    body = b"answered\n" + END_LINE

    async def answerer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        await asyncio.sleep(0.05)  # a reset at once would take the answer with it
        writer.transport.abort()

    async def scenario() -> TrafficReport:
        server = await asyncio.start_server(answerer, "127.0.0.1", 0)
        async with server, Traffic([way_to(server.sockets[0].getsockname())], rate=50) as traffic:
            await eventually(lambda: traffic.report().total > 3)
            await traffic.stop()
        return traffic.report()

    assert asyncio.run(scenario()).lost == 0


def test_no_endpoint_and_a_closed_port_are_refused() -> None:
    async def scenario() -> TrafficReport:
        server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", 0)
        closed = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        async with Traffic([way_to(None, "none"), way_to(closed, "closed")], rate=50) as traffic:
            await eventually(lambda: len(traffic.report().lost_by_way) == 2)
        return traffic.report()

    report = asyncio.run(scenario())
    assert set(report.lost_by_reason) == {"refused"}


def test_a_loss_has_its_moment_and_its_beginning() -> None:
    before = time.time()

    async def scenario() -> TrafficReport:
        server = PodServer("web-1", work_seconds=30)
        address = await server.start()
        async with Traffic([way_to(address)], rate=20) as traffic:
            await eventually(lambda: server.in_flight > 5)
            server.kill()
            await server.wait_exited()
            await eventually(lambda: traffic.report().lost_by_reason.get("reset", 0) > 5)
        return traffic.report()

    resets = [loss for loss in asyncio.run(scenario()).losses if loss.reason == "reset"]
    assert all(before <= loss.started < loss.moment <= time.time() for loss in resets)
    assert max(loss.moment for loss in resets) - min(loss.moment for loss in resets) < 0.2


def test_a_stop_waits_for_the_answers_under_way() -> None:
    report = asyncio.run(served(PodServer("web-1", work_seconds=1), seconds=0.5, rate=40))
    assert report.total == pytest.approx(20, abs=5)
    assert report.lost == 0


def test_traffic_refuses_a_rate_that_is_not_bounded() -> None:
    with pytest.raises(ValueError, match="at most 1000"):
        Traffic([], rate=5000)


def test_kept_connections_stay_with_their_pod_and_count_their_breaks() -> None:
    async def scenario() -> None:
        servers = {name: PodServer(name) for name in ("web-1", "web-2")}
        addresses = [await server.start() for server in servers.values()]
        choices = iter([addresses[0]] * 3 + [addresses[1]] * 100)
        way = Way(name="service/web", host="web", dial=lambda: Dial(next(choices)))
        async with KeptConnections(way, clients=3) as kept:
            await eventually(lambda: kept.answered >= 6)
            assert {name: len(server.connections) for name, server in servers.items()} == {"web-1": 3, "web-2": 0}
            assert kept.broken == 0
            servers["web-1"].kill()
            await eventually(lambda: len(servers["web-2"].connections) == 3)
            assert kept.broken == 3
        servers["web-2"].kill()
        for server in servers.values():
            await server.wait_exited()

    asyncio.run(scenario())
