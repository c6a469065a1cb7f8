"""A reader who goes away never breaks a run: no error, no traceback at exit, the same exit code."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from kubectl_safe.render import output

TOLD_TO_NOBODY = """
import sys
from kubectl_safe.cli import main as entry
from kubectl_safe.render.output import echo

def run(arguments):
    if SAYS_MUCH:
        echo("one line", err=IS_ERR)
        echo("x" * 100_000, err=IS_ERR)
    print("held back until the exit", end="", file=sys.stderr if IS_ERR else sys.stdout)
    echo("done", err=not IS_ERR)
    return 3

entry.run = run
entry.main()
"""


def a_closed_pipe() -> int:
    """Return the end of a pipe that nobody reads from any more: EPIPE."""
    read, write = os.pipe()
    os.close(read)
    return write


def a_hung_up_terminal() -> int:
    """Return a terminal whose window was closed: EIO."""
    window, terminal = pty.openpty()
    os.close(window)
    return terminal


def a_full_disk() -> int:
    """Return a file that takes nothing: ENOSPC."""
    return os.open("/dev/full", os.O_WRONLY)


BROKEN = [
    pytest.param(a_closed_pipe, id="a closed pipe"),
    pytest.param(a_hung_up_terminal, id="a hung-up terminal"),
    pytest.param(a_full_disk, id="a full disk"),
]


@pytest.mark.parametrize("err", [False, True], ids=["stdout", "stderr"])
@pytest.mark.parametrize("says_much", [False, True], ids=["only at the exit", "all along"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_stream_that_breaks_is_silent_and_the_run_ends_as_it_would(
    broken: Callable[[], int], err: bool, says_much: bool
) -> None:
    end = broken()
    program = f"IS_ERR, SAYS_MUCH = {err}, {says_much}\n{TOLD_TO_NOBODY}"
    streams: dict[str, Any] = {"stderr" if err else "stdout": end, "stdout" if err else "stderr": subprocess.PIPE}
    holds_back = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    try:
        done = subprocess.run([sys.executable, "-c", program], check=False, text=True, env=holds_back, **streams)
    finally:
        os.close(end)
    assert (done.returncode, done.stdout if err else done.stderr) == (3, "done\n")


def test_a_reader_who_goes_away_in_the_middle_gets_what_came_before() -> None:
    program = (
        "import sys\n"
        "from kubectl_safe.cli import main as entry\n"
        "from kubectl_safe.render.output import echo\n"
        "def run(arguments):\n"
        "    echo('first')\n"
        "    sys.stdin.readline()\n"
        "    for number in range(1000):\n"
        "        echo(f'{number}' * 100)\n"
        "    echo('all is told', err=True)\n"
        "    return 0\n"
        "entry.run = run\n"
        "entry.main()\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "first\n"
        running.stdout.close()
        running.stdin.write("\n")
        running.stdin.close()
        assert running.stderr.read() == "all is told\n"
        assert running.wait() == 0


def test_help_that_nobody_reads_leaves_no_traceback() -> None:
    end = a_closed_pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kubectl_safe", "--help"], check=False, text=True, stdout=end, stderr=subprocess.PIPE
        )
    finally:
        os.close(end)
    assert done.stderr == ""


def test_a_stream_that_is_no_file_is_silent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    gone = Gone()
    monkeypatch.setattr(sys, "stdout", gone)
    output.echo("a")
    assert sys.stdout is not gone
    output.echo("b")
    output.flush()
    sys.stdout.close()
