"""Commands as processes that never outlive us: what they say line by line, and their end by their pid."""

import asyncio
import contextlib
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

from kubectl_safe.sandbox.demo.errors import DemoFailedError
from kubectl_safe.sandbox.processes import ComponentFailedError, Processes

Say = Callable[[str], None]

_LAST_LINES = 5
_LOOK_SECONDS = 0.05


class Commands:
    """Runs commands, one file of output each."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._numbers = count(1)

    @property
    def directory(self) -> Path:
        """A directory that goes with us, whatever ends us."""
        return self._processes.directory

    async def run(self, command: Sequence[str], environment: Mapping[str, str], say: Say) -> None:
        """Run a command to its end, and pass on each line of its output.

        Where the caller is cancelled, the command is ended: what it works on goes with the caller.

        Raises:
            DemoFailedError: it can't be started, or did not end well.
        """
        name = f"command-{next(self._numbers)}"
        last: deque[str] = deque(maxlen=_LAST_LINES)
        running = asyncio.create_task(self._run(name, command, environment))
        try:
            async for line in _lines(self._processes.log(name), running):
                last.append(line)
                say(line)
            code = await running
        finally:
            if not running.done():
                running.cancel()
                await self._processes.end(name)
        if code:
            raise DemoFailedError(f"'{' '.join(command)}' ended with {code}: {'; '.join(last) or 'it said nothing'}")

    async def _run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
        # One that has ended by the time it is told of is none that failed to start.
        with contextlib.suppress(ComponentFailedError):
            await self._processes.start(name, command, environment)
        return await self._processes.wait(name)


@contextlib.asynccontextmanager
async def open_commands() -> AsyncGenerator[Commands, None]:
    """Make a directory and a supervisor of commands, which ends them and removes it also where we are killed."""
    directory = Path(tempfile.mkdtemp(prefix="kubectl-safe-demo-"))
    try:
        async with Processes(directory, removes=True) as processes:
            yield Commands(processes)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _lines(log: Path, running: "asyncio.Task[int]") -> AsyncGenerator[str, None]:
    """Yield the lines of a file that grows until a task is done."""
    # Who comes first creates it: we, or the supervisor.
    with log.open("a+b") as file:
        file.seek(0)
        rest = b""
        is_over = False
        while not is_over:
            # Asked first: what was said before the end is then read below.
            is_over = running.done()
            *lines, rest = (rest + file.read()).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").rstrip()
            if not is_over:
                await asyncio.wait([running], timeout=_LOOK_SECONDS)
        if rest:
            yield rest.decode(errors="replace").rstrip()
