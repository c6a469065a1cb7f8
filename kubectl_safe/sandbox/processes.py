"""The processes of a control plane, held so that none outlives the Python process that wants them.

They are children of a supervisor that ends them once its input closes. See `kubectl_safe.sandbox.supervise`.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import kubectl_safe

_LAST_LINES = 15
_END_SECONDS = 10


class ComponentFailedError(Exception):
    """A process ended or wasn't ready in time; the message has the last lines of its log."""


class Processes:
    """Starts processes by name, as an async context manager; `directory` goes with them where `removes` is set."""

    def __init__(self, directory: Path, *, removes: bool) -> None:
        self.directory = directory
        self._removes = removes
        self.pids: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        self._is_over = False
        self._changed = asyncio.Condition()
        self._supervisor: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        package = str(Path(kubectl_safe.__file__).parent.parent)
        arguments = [str(self.directory)] if self._removes else []
        with (self.directory / "supervise.log").open("wb") as log:
            self._supervisor = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kubectl_safe.sandbox.supervise",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": package},
                start_new_session=True,
            )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        supervisor, reader = self._supervisor, self._reader
        if supervisor is None or supervisor.stdin is None or reader is None:
            return
        # From here on the supervisor ends everything by itself, even if what follows is cancelled.
        supervisor.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await supervisor.wait()
        except TimeoutError:
            supervisor.kill()
            await supervisor.wait()
            raise ComponentFailedError(
                f"the supervisor, pid {supervisor.pid}, did not end within {_END_SECONDS} s; "
                f"processes that may be left: {self.pids}"
            ) from None
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process, also one that was ended before, and return once it has a pid.

        Without an environment it gets ours.

        Raises:
            ComponentFailedError: it can't be started, or has ended already.
        """
        self._ended.pop(name, None)
        asked = {"arguments": list(arguments), "environment": None if environment is None else dict(environment)}
        self._ask(name=name, log=str(self.log(name)), **asked)
        async with self._changed:
            await self._changed.wait_for(lambda: name in self.pids or name in self._ended or self._is_over)
        self.check(name)

    async def end(self, name: str) -> None:
        """End a process, by SIGTERM and a second later by SIGKILL, and return once it is gone."""
        self._ask(end=name)
        async with self._changed:
            await self._changed.wait_for(lambda: name in self._ended or self._is_over)

    async def wait(self, name: str) -> int:
        """Wait until a process has ended, and return its exit code.

        Raises:
            ComponentFailedError: nobody can tell, as the supervisor has ended.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: name in self._ended or self._is_over)
        if name not in self._ended:
            self.check(name)
        return self._ended[name]

    def log(self, name: str) -> Path:
        """Return the file with all that a process has said."""
        return self.directory / f"{name}.log"

    def check(self, name: str) -> None:
        """Raise `ComponentFailedError` if the process isn't running."""
        if name in self._ended:
            raise ComponentFailedError(f"{name} ended with {self._ended[name]}; its log ends with:\n{self.tail(name)}")
        if self._is_over:
            raise ComponentFailedError(f"the supervisor of {name} ended; its log ends with:\n{self.tail('supervise')}")

    def tail(self, name: str) -> str:
        """Return the last lines of a process's log."""
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])

    def _ask(self, **asked: object) -> None:
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdin is None:
            raise RuntimeError("Processes is used outside of its `async with`")
        supervisor.stdin.write(json.dumps(asked).encode() + b"\n")

    async def _read(self) -> None:
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdout is None:
            return
        while line := await supervisor.stdout.readline():
            told = json.loads(line)
            async with self._changed:
                if "started" in told:
                    self.pids[told["name"]] = told["started"]
                else:
                    self._ended[told["name"]] = told["ended"]
                    self.pids.pop(told["name"], None)
                self._changed.notify_all()
        async with self._changed:
            self._is_over = True
            self._changed.notify_all()
