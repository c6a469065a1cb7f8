"""An event loop whose time is its own: where nothing is to be done, it jumps to when something is.

Connections between its own servers and clients are made in memory; nothing outside of it is ever waited for. Timers
that are due at the same time run in an order that comes from a seed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from kubectl_safe.sandbox.cluster.memory_network import MemoryNetwork, MemoryServer, MemoryTransport

_T = TypeVar("_T")

EPOCH = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
_JITTER_SECONDS = 0.0005


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time.

    A defect in a callback stops it: `run` raises what the callback raised.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.random = Random(seed)
        self.defects: list[BaseException] = []
        self._at = 0.0
        self._selector = _Idle(self)
        self._network = MemoryNetwork(self)
        self.set_exception_handler(self._take_defect)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._at

    def wall(self) -> float:
        """Return the virtual time in seconds since the Unix epoch."""
        return EPOCH.timestamp() + self._at

    def now(self) -> datetime:
        """Return the virtual instant."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def pass_time(self, seconds: float) -> None:
        """Let time go by at once; the loop does that itself when it idles."""
        self._at += seconds

    def run(self, until: float, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Run from outside until a time, or until `stop` was called and it is over; tell whether that was it.

        Raises:
            Exception: what a callback, or a task that nobody waits for, has failed with.
        """
        waiting = self.call_at_exactly(until, self.stop)
        try:
            while not is_over() and self._at < until:
                self.run_forever()
                self._raise_defect()
            return is_over()
        finally:
            waiting.cancel()

    def finish(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine from outside to its end.

        Raises:
            Exception: what it, a callback, or a task that nobody waits for, has failed with.
        """
        task = self.create_task(coroutine)
        task.add_done_callback(lambda _: self.stop())
        while not task.done():
            self.run_forever()
            self._raise_defect()
        return task.result()

    def wind_up(self) -> None:
        """Cancel whatever still runs and close; what it fails with is of no interest any more."""
        self.set_exception_handler(lambda _loop, _context: None)
        self.defects.clear()
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.finish(asyncio.wait(tasks))
        self.finish(self.shutdown_asyncgens())
        self.close()

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Schedule a callback, up to half a millisecond late, so that no order is certain."""
        return super().call_at(when + self.random.random() * _JITTER_SECONDS, callback, *args, context=context)

    def call_at_exactly(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Schedule a callback at its very time."""
        return super().call_at(when, callback)

    async def create_server(self, protocol_factory: Any, *_: Any, **__: Any) -> MemoryServer:  # type: ignore[override]
        """Listen in memory."""
        return self._network.listen(protocol_factory)

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> tuple[MemoryTransport, Any]:
        """Connect in memory."""
        del host
        return await self._network.connect(protocol_factory, port)

    def remove_reader(self, fd: Any) -> bool:
        """Stop listening, as a server does that owns its socket."""
        return self._network.stop_listening(fd)

    def _process_events(self, event_list: Any) -> None:
        """There are no events from outside."""

    def _write_to_self(self) -> None:
        """No other thread has to wake it."""

    def _raise_defect(self) -> None:
        if self.defects:
            raise self.defects[0]

    def _take_defect(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.defects.append(error if isinstance(error, BaseException) else RuntimeError(context["message"]))
        self.stop()


class _Idle:
    """What the loop waits on: waiting takes no time, but for the loop's own."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Pass the time that would have been waited for."""
        if timeout is None:
            raise RuntimeError("nothing will ever happen: no timer is set and nobody is ready")
        if timeout > 0:
            self._loop.pass_time(timeout)
        return []
