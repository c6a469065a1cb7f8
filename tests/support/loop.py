"""An event loop in a thread of its own, for tests that are not coroutines."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

_T = TypeVar("_T")
_CALL_SECONDS = 90


class LoopThread:
    """Runs coroutines in a background thread, as a context manager; what still runs at its end is cancelled."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def call(self, coroutine: Coroutine[Any, Any, _T], *, seconds: float = _CALL_SECONDS) -> _T:
        """Run a coroutine in the loop and return its result; cancel it when it takes too long."""
        future = self.spawn(coroutine)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Start a coroutine in the loop, which goes on until it ends, is cancelled, or the loop ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    @contextmanager
    def entered(self, manager: AbstractAsyncContextManager[_T]) -> Iterator[_T]:
        """Enter an async context manager in the loop, and leave it there."""
        entered = self.call(manager.__aenter__())
        try:
            yield entered
        finally:
            self.call(manager.__aexit__(None, None, None))

    def _run(self) -> None:
        # asyncio.run cancels what is left, and closes generators, at the end.
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._is_up.set()
        await self._stop.wait()


async def eventually(
    is_so: Callable[[], Awaitable[bool] | bool], *, seconds: float = 15, every: float = 0.02, what: str = "it"
) -> None:
    """Wait until a condition holds; fail, saying what did not come, when it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                held = is_so()
                if held if isinstance(held, bool) else await held:
                    return
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {seconds} s") from None
