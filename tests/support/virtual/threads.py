"""The tool's threads, events, locks and conditions in virtual time: what stands for the module `threading` there.

Threads change only where one waits, so a lock has nothing to do but to see that nobody waits with it.
"""

from collections.abc import Callable, Iterable
from typing import Any, Self

from tests.support.virtual.process import Process, Wait, current


class Event:
    """An event."""

    def __init__(self) -> None:
        self._is_set = False
        self._waits: list[Wait] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        waits, self._waits = self._waits, []
        for wait in waits:
            wait.wake()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        process = current()
        until = None if timeout is None else process.loop.time() + timeout
        while not self._is_set:
            wait = process.wait(until)
            self._waits.append(wait)
            if not wait.run():
                break
        return self._is_set


class Lock:
    """A lock that nobody ever waits for."""

    def __init__(self) -> None:
        self._is_held = False

    def __enter__(self) -> Self:
        assert not self._is_held, "a thread waited while it held a lock"
        self._is_held = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_held = False


class Condition(Lock):
    """A condition."""

    def __init__(self) -> None:
        super().__init__()
        self._event = Event()

    def notify(self) -> None:
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        self._is_held = False
        try:
            self._event.clear()
            return self._event.wait(timeout)
        finally:
            self._is_held = True


class Thread:
    """A thread of the process that makes it."""

    def __init__(
        self, *, target: Callable[..., object], name: str = "", daemon: bool = True, args: Iterable[Any] = ()
    ) -> None:
        self.name = name
        self.daemon = daemon
        self._target = target
        self._arguments = tuple(args)
        self._over = Event()

    def start(self) -> None:
        process: Process = current()
        process.spawn(self._run)

    def join(self, timeout: float | None = None) -> None:
        self._over.wait(timeout)

    def is_alive(self) -> bool:
        return not self._over.is_set()

    def _run(self) -> None:
        try:
            self._target(*self._arguments)
        finally:
            self._over.set()


class ThreadPoolExecutor:
    """Threads that share the work."""

    def __init__(self, *, max_workers: int, thread_name_prefix: str = "") -> None:
        self._at_once = max_workers
        self._name = thread_name_prefix

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        left = list(enumerate(items))
        results: dict[int, Any] = {}
        errors: list[BaseException] = []

        def work() -> None:
            while left:
                number, item = left.pop(0)
                try:
                    results[number] = function(item)
                except Exception as error:  # noqa: BLE001 - it is raised where the results are wanted
                    errors.append(error)

        workers = [Thread(target=work, name=self._name) for _ in range(self._at_once)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if errors:
            raise errors[0]
        return [results[number] for number in sorted(results)]
