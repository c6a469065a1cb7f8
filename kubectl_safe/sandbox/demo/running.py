"""A demonstration from its start to its end, which comes in good order also after a signal."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from kubectl_safe.sandbox.demo.errors import DemoStoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def until_stopped(work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine to its end, or until a signal, which cancels it once: what cleans up is not disturbed again.

    Raises:
        DemoStoppedError: a signal came.
    """
    asyncio.run(_until_stopped(work))


async def _until_stopped(work: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work())
    received: list[str] = []

    def stop(number: signal.Signals) -> None:
        if not received:
            received.append(number.name)
            task.cancel()

    for number in _SIGNALS:
        # Who starts it with nohup doesn't want it to end with the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    try:
        await asyncio.wait([task])
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    if received and (task.cancelled() or task.exception() is None):
        raise DemoStoppedError(received[0])
    task.result()
