"""The event loop in virtual time, and connections in memory."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.cluster.virtual import EPOCH, VirtualLoop
from kubectl_safe.sandbox.exchange import Fault, exchange
from kubectl_safe.sandbox.pod import PodServer, is_whole


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    virtual = VirtualLoop(seed=1)
    yield virtual
    virtual.wind_up()


def test_an_hour_takes_no_time(loop: VirtualLoop) -> None:
    began = time.monotonic()
    loop.finish(asyncio.sleep(3600))
    assert 3600 <= loop.time() < 3601
    assert time.monotonic() - began < 5


def test_actors_read_the_loop_s_clock(loop: VirtualLoop) -> None:
    async def read() -> tuple[float, str]:
        await asyncio.sleep(60)
        return moment.time(), moment.stamp()

    seconds, stamp = loop.finish(read())
    assert seconds == loop.wall()
    assert seconds == pytest.approx(loop.now().timestamp())
    assert stamp == f"{EPOCH:%Y-%m-%dT%H}:01:00Z"


def orders(seed: int) -> list[str]:
    """Return the order in which five actors that wake at the same time come to their work."""
    loop = VirtualLoop(seed)
    seen: list[str] = []

    async def actor(name: str) -> None:
        await asyncio.sleep(1)
        seen.append(name)

    async def all_at_once() -> None:
        await asyncio.gather(*(actor(name) for name in "abcde"))

    loop.finish(all_at_once())
    loop.wind_up()
    return seen


def test_order_of_what_is_due_at_once_comes_from_the_seed() -> None:
    assert orders(1) == orders(1)
    assert len({tuple(orders(seed)) for seed in range(10)}) > 5


def test_run_ends_at_its_time_or_when_it_is_over(loop: VirtualLoop) -> None:
    assert not loop.run(5.0)
    assert loop.time() == pytest.approx(5.0)
    over = asyncio.Event()

    def end() -> None:
        over.set()
        loop.stop()

    loop.call_later(2, end)
    assert loop.run(60.0, over.is_set)
    assert loop.time() == pytest.approx(7.0, abs=0.01)


def test_defect_in_a_callback_ends_the_run(loop: VirtualLoop) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop.call_later(1, fail)
    with pytest.raises(ZeroDivisionError):
        loop.run(5.0)


def test_nothing_to_wait_for_is_told(loop: VirtualLoop) -> None:
    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        loop.finish(asyncio.Event().wait())


async def _a_pod_and_an_answer(path: str) -> bool:
    pod = PodServer("web-1")
    address = await pod.start()
    answer = await exchange(address, path, host="web", within=10)
    pod.terminate("graceful")
    await pod.wait_exited()
    return is_whole(answer.body) and answer.headers["x-pod"] == "web-1"


@pytest.mark.parametrize("path", ["/", "/stream?seconds=3"])
def test_pods_answer_in_memory(loop: VirtualLoop, path: str) -> None:
    assert loop.finish(_a_pod_and_an_answer(path))


async def _fault(sigterm: str) -> Fault | None:
    pod = PodServer("web-1")
    address = await pod.start()
    asked = asyncio.create_task(exchange(address, "/stream?seconds=3", host="web", within=10))
    await asyncio.sleep(1)
    pod.terminate("abrupt" if sigterm == "abrupt" else "graceful")
    answer = await asked
    if sigterm == "gone":
        return (await exchange(address, "/", host="web", within=10)).fault
    return answer.fault


@pytest.mark.parametrize(("sigterm", "fault"), [("abrupt", Fault.RESET), ("graceful", None), ("gone", Fault.REFUSED)])
def test_connections_end_as_sockets_do(loop: VirtualLoop, sigterm: str, fault: Fault | None) -> None:
    assert loop.finish(_fault(sigterm)) is fault


async def _silent() -> Fault | None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    answer = await exchange(server.sockets[0].getsockname(), "/", host="web", within=10)
    return answer.fault


def test_silence_is_a_timeout(loop: VirtualLoop) -> None:
    assert loop.finish(_silent()) is Fault.TIMEOUT
    assert loop.time() >= 10
