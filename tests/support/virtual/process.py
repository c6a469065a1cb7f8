"""A process of the tool in virtual time: its threads take turns as coroutines, and it can be stopped, frozen or killed.

Nothing of the tool is replaced but what it waits with: whoever waits lets the event loop go on, and time with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from greenlet import getcurrent, greenlet

from kubectl_safe.sandbox.cluster.virtual import VirtualLoop


class KilledError(BaseException):
    """The process is killed: nothing of it has a say any more."""


class _Thread(greenlet):
    process: "Process"


def current() -> "Process":
    """Return the process whose code runs."""
    thread = getcurrent()
    assert isinstance(thread, _Thread), "only threads of a process wait"
    return thread.process


class Wait:
    """A thread that waits until it is woken, or until a time (in the loop's seconds)."""

    def __init__(self, process: "Process", until: float | None) -> None:
        self.is_over = False
        self._process = process
        self._thread = getcurrent()
        loop = process.loop
        self._timer = None if until is None else loop.call_at(max(until, loop.time()), self._end, False)

    def wake(self) -> None:
        """Let the thread go on, as soon as its turn comes."""
        self._process.loop.call_later(0, self._end, True)

    def run(self) -> bool:
        """Wait; tell whether it was woken.

        Raises:
            KilledError: it was, meanwhile.
            KeyboardInterrupt: so does a signal's handler.
        """
        try:
            while True:
                is_woken = self._process.hub.switch()
                if self._process.is_dead:
                    raise KilledError
                if self.is_over:
                    return bool(is_woken)
                self._process.take_signals()
        finally:
            self.is_over = True
            if self._timer is not None:
                self._timer.cancel()

    def look_up(self) -> None:
        """Have the thread take the signals that came, and then wait on."""
        self._process.loop.call_later(0, self._go_on)

    def _end(self, is_woken: bool) -> None:
        if self._process.is_frozen:
            self._process.due.append(partial(self._end, is_woken))
        elif not self.is_over and not self._process.is_dead:
            self.is_over = True
            self._thread.switch(is_woken)

    def _go_on(self) -> None:
        if self._process.is_frozen:
            self._process.due.append(self._go_on)
        elif not self.is_over and not self._process.is_dead:
            self._thread.switch(False)


@dataclass(kw_only=True, eq=False)
class Process:
    """A process: `start` it, and run the loop until it `is_over`."""

    loop: VirtualLoop
    random: Random
    hub: greenlet = field(default_factory=getcurrent)
    """Where the event loop runs."""
    is_over: bool = False
    is_dead: bool = False
    is_frozen: bool = False
    clock_error: timedelta = timedelta(0)
    """How far its machine's clock is off."""
    error: BaseException | None = None
    """What its main thread ended with."""
    crashes: list[BaseException] = field(default_factory=list)
    """What its other threads ended with."""
    at_its_end: list[Callable[[], None]] = field(default_factory=list)
    """What the system does for it however it ends: closes its connections."""
    due: list[Callable[[], None]] = field(default_factory=list)
    """What goes on once it is not frozen any more."""
    _threads: list[_Thread] = field(default_factory=list)
    _main: _Thread | None = None
    _main_wait: Wait | None = None
    _signals: list[Callable[[], object]] = field(default_factory=list)

    def start(self, main: Callable[[], None]) -> None:
        """Begin with the main thread."""
        self._main = self.spawn(partial(self._run_main, main))

    def spawn(self, run: Callable[[], None]) -> "_Thread":
        """Begin a thread."""
        thread = _Thread(partial(self._run, run), parent=self.hub)
        thread.process = self
        self._threads.append(thread)
        self.loop.call_later(0, self._enter, thread)
        return thread

    def wall(self) -> datetime:
        """Return what its machine's clock says."""
        return self.loop.now() + self.clock_error

    def elapsed(self) -> float:
        """Return seconds since some moment, which no clock jump changes."""
        return self.loop.time()

    def wait(self, until: float | None) -> Wait:
        """Return what the current thread waits with."""
        if self.is_dead:
            raise KilledError
        wait = Wait(self, until)
        if getcurrent() is self._main:
            self._main_wait = wait
        return wait

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.wait(self.loop.time() + seconds).run()

    def signal(self, handler: Callable[[], object]) -> None:
        """Have the main thread call a handler, wherever it waits."""
        self._signals.append(handler)
        if self._main_wait is not None and not self._main_wait.is_over:
            self._main_wait.look_up()

    def take_signals(self) -> None:
        """Call the handlers of the signals that came; in any thread but the main one, nothing happens."""
        while self._signals and getcurrent() is self._main:
            self._signals.pop(0)()

    def freeze(self) -> None:
        """Stop it, as SIGSTOP does, or a machine that goes to sleep."""
        self.is_frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self.is_frozen = False
        due, self.due = self.due, []
        for go_on in due:
            self.loop.call_later(0, go_on)

    def kill(self) -> None:
        """End it at once: nothing that it still has to say reaches anybody.

        Raises:
            KilledError: where it is one of its own threads that runs.
        """
        self.is_dead = True
        self._close()
        self.loop.call_later(0, self._reap)
        if getattr(getcurrent(), "process", None) is self:
            raise KilledError

    def _enter(self, thread: "_Thread") -> None:
        if self.is_frozen:
            self.due.append(partial(self._enter, thread))
        elif not self.is_dead:
            thread.switch()

    def _reap(self) -> None:
        for thread in self._threads:
            if not thread.dead and thread.gr_frame is not None:
                thread.throw(KilledError())
        self.is_over = True
        self.loop.stop()

    def _run(self, run: Callable[[], None]) -> None:
        try:
            run()
        except KilledError:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever runs the process is told
            self.crashes.append(error)

    def _run_main(self, main: Callable[[], None]) -> None:
        try:
            main()
        except KilledError:
            return
        except BaseException as error:  # noqa: BLE001 - whoever runs the process is told
            self.error = error
        self.is_over = True
        self._close()
        self.loop.stop()

    def _close(self) -> None:
        closing, self.at_its_end = self.at_its_end, []
        for close in closing:
            close()
