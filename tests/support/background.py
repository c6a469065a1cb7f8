"""A command that runs while a test goes on: what it has said so far, and its end."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_LOOK_SECONDS = 0.02


class Background:
    """A process whose output goes to files, so that nobody need read it for it to go on, and anybody may at any time.

    `process` takes signals and tells the exit code. The output stays readable while the context that made it lasts, and
    what there was at its end after that.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.process = process
        self._folder = folder
        self._kept: tuple[str, str] | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._kept[0] if self._kept else _text(self._folder / "stdout")

    @property
    def stderr(self) -> str:
        """Its warnings and errors so far."""
        return self._kept[1] if self._kept else _text(self._folder / "stderr")

    def await_line(self, text: str, *, seconds: float = 60) -> str:
        """Wait until a whole line of either output has a text in it, and return the first such line.

        Raises:
            AssertionError: the process ended without it, or the time ran out; with all that it said.
        """
        deadline = time.monotonic() + seconds
        while True:
            has_ended = self.process.poll() is not None  # asked first: what it said before its end is then read below
            for line in self._whole_lines():
                if text in line:
                    return line
            if has_ended or time.monotonic() > deadline:
                why = f"it ended with {self.process.returncode}" if has_ended else f"{seconds} s went by"
                raise AssertionError(f"{why} without {text!r}; it said:\n{self.stdout}\n{self.stderr}")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_LOOK_SECONDS)

    def wait(self, seconds: float = 240) -> int:
        """Wait for its end, and return the exit code.

        Raises:
            AssertionError: it went on for longer; with all that it said.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on after {seconds} s; it said:\n{self.stdout}\n{self.stderr}") from None

    def keep(self) -> None:
        """Keep what it said, before the files go."""
        self._kept = self.stdout, self.stderr

    def _whole_lines(self) -> list[str]:
        return [line for said in (self.stdout, self.stderr) for line in said.rpartition("\n")[0].splitlines()]


@contextmanager
def in_background(command: Sequence[str], environment: dict[str, str]) -> Iterator[Background]:
    """Start a command; it is killed at the end where it still runs."""
    with TemporaryDirectory(prefix="kubectl-safe-test-") as name:
        folder = Path(name)
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        background = Background(process, folder)
        try:
            yield background
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            background.keep()


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
