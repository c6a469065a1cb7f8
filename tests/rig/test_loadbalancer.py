"""The sandbox's load balancer spreads requests, and lets the client see what its targets do to them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from kubectl_safe.sandbox.exchange import Answer, Fault, exchange
from kubectl_safe.sandbox.loadbalancer import LoadBalancer
from kubectl_safe.sandbox.pod import is_whole
from tests.support.loop import eventually
from tests.support.rig import Targets, some_targets


def balanced(claim: Callable[[Targets, LoadBalancer], Coroutine[Any, Any, None]], count: int = 2) -> None:
    async def scenario() -> None:
        async with (
            some_targets(count) as targets,
            LoadBalancer(targets.elbv2, targets.group.arn, targets.network) as balancer,
        ):
            await claim(targets, balancer)

    asyncio.run(scenario())


async def ask(balancer: LoadBalancer, path: str = "/") -> Answer:
    return await exchange(balancer.address, path, host="web", within=5)


def test_requests_are_spread_evenly_over_the_healthy_targets() -> None:
    async def claim(_targets: Targets, balancer: LoadBalancer) -> None:
        answers = [await ask(balancer) for _ in range(120)]
        assert all(answer.status == 200 and is_whole(answer.body) for answer in answers)
        pods = Counter(answer.headers["x-pod"] for answer in answers)
        assert set(pods) == {"web-2", "web-3", "web-4"}
        assert min(pods.values()) > 20

    balanced(claim, count=3)


def test_an_answer_is_streamed_through_as_it_comes() -> None:
    async def claim(_targets: Targets, balancer: LoadBalancer) -> None:
        reader, writer = await asyncio.open_connection(*balancer.address)
        writer.write(b"GET /stream?seconds=1 HTTP/1.1\r\nHost: web\r\n\r\n")
        began = asyncio.get_running_loop().time()
        await reader.readuntil(b"still streams\n")
        assert asyncio.get_running_loop().time() - began < 0.5
        assert is_whole((await reader.read()).removesuffix(b"\r\n0\r\n\r\n"))
        writer.close()
        await writer.wait_closed()

    balanced(claim)


def test_a_target_that_refuses_is_a_502_that_names_it_and_no_other_is_tried() -> None:
    async def claim(targets: Targets, balancer: LoadBalancer) -> None:
        dead, _alive = targets.servers
        targets.kill(dead)
        answers = [await ask(balancer) for _ in range(20)]
        failed = [answer for answer in answers if answer.status != 200]
        assert {answer.status for answer in failed} == {502}
        assert {answer.headers["x-target"] for answer in failed} == {f"{dead.id}:{dead.port}"}

    balanced(claim)


def test_a_target_that_resets_before_it_answered_is_a_502() -> None:
    async def claim(targets: Targets, balancer: LoadBalancer) -> None:
        [target] = targets.servers
        targets.servers[target].work_seconds = 5
        asked = asyncio.create_task(ask(balancer))
        await eventually(lambda: targets.servers[target].in_flight == 1)
        targets.kill(target)
        assert (await asked).status == 502

    balanced(claim, count=1)


def test_an_answer_that_a_target_breaks_off_is_truncated_for_the_client() -> None:
    async def claim(targets: Targets, balancer: LoadBalancer) -> None:
        [target] = targets.servers
        asked = asyncio.create_task(ask(balancer, "/stream?seconds=5"))
        await asyncio.sleep(0.5)  # the first bytes are with the client
        targets.kill(target)
        answer = await asked
        assert (answer.status, answer.fault) == (200, Fault.TRUNCATED)
        assert answer.headers["x-pod"] == "web-2"

    balanced(claim, count=1)


def test_a_pod_that_dies_as_its_deregistration_begins_loses_requests() -> None:
    async def claim(targets: Targets, balancer: LoadBalancer) -> None:
        dead, _alive = targets.servers
        targets.elbv2.deregister(targets.group.arn, [dead], caller="test")
        targets.kill(dead)
        statuses = Counter([(await ask(balancer)).status for _ in range(40)])
        assert statuses[502] > 10
        await eventually(lambda: dead not in targets.elbv2.routable(targets.group.arn))
        assert {(await ask(balancer)).status for _ in range(20)} == {200}

    balanced(claim)


def test_without_any_target_it_answers_503() -> None:
    async def claim(_targets: Targets, balancer: LoadBalancer) -> None:
        assert (await ask(balancer)).status == 503

    balanced(claim, count=0)


def test_a_client_that_goes_away_ends_the_request_at_the_target() -> None:
    async def claim(targets: Targets, balancer: LoadBalancer) -> None:
        [server] = targets.servers.values()
        asked = asyncio.create_task(ask(balancer, "/stream?seconds=5"))
        await eventually(lambda: server.in_flight == 1)
        asked.cancel()
        await eventually(lambda: server.in_flight == 0, seconds=2)

    balanced(claim, count=1)
