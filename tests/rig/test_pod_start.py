"""A pod that is ended while it starts leaves no listener behind."""

import asyncio
import gc
import warnings

import pytest

from kubectl_safe.sandbox.pod import PodServer


async def started_and_cancelled(turns: int) -> None:
    """Cancel a pod's start after so many turns of the loop, and kill the pod, as its worker does."""
    server = PodServer("web-1")
    start = asyncio.create_task(server.start())
    for _ in range(turns):
        await asyncio.sleep(0)
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    server.kill()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("turns", range(8))
def test_a_start_that_is_cancelled_leaves_no_listener(turns: int) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(started_and_cancelled(turns))
        gc.collect()
    assert [str(it.message) for it in told] == []
