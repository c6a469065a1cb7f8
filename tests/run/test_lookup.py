"""A look-up ends in time, and is not heard of. Each runs in an interpreter of its own, as it forks."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from kubectl_safe.run.lookup import SECONDS


def _look(body: str, *, environment: dict[str, str] | None = None) -> tuple[str, float]:
    """Look up what the body of a function returns; return what is printed and the seconds that the look-up took."""
    done = subprocess.run(
        [sys.executable, "-c", _program(body)],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    *found, took = done.stdout.splitlines()
    return "\n".join(found), float(took)


def _program(body: str) -> str:
    return (
        "import os, subprocess, sys, threading, time\n"
        "from kubectl_safe.run.lookup import lookup\n"
        f"def look():\n    {body}\n"
        "began = time.monotonic()\n"
        "found = lookup(look)\n"
        "print(*found, f'{time.monotonic() - began}', sep='\\n')\n"
    )


def test_what_is_found_comes_back() -> None:
    found, _ = _look("return ('web-%d' % number for number in range(3))")
    assert found == "web-0\nweb-1\nweb-2"


def test_thousands_of_names_come_back() -> None:
    found, _ = _look("return ['a-name-that-takes-some-room-%d' % number for number in range(20_000)]")
    assert len(found.splitlines()) == 20_000


@pytest.mark.parametrize(
    "body",
    [
        "raise RuntimeError('broken')",
        "print('noise'); print('noise', file=sys.stderr); os.system('echo noise; echo noise >&2'); return []",
        "os.kill(os.getpid(), 9)",
        "sys.exit('gone')",
    ],
    ids=["raises", "prints", "is killed", "exits"],
)
def test_whatever_befalls_it_is_not_heard_of(body: str) -> None:
    found, took = _look(body)
    assert found == ""
    assert took < SECONDS


def test_what_it_starts_can_neither_ask_nor_tell_a_terminal_anything() -> None:
    asks = "return [str(os.system('echo Password: >/dev/tty && read -r password </dev/tty') != 0)]"
    terminal = pexpect.spawn(sys.executable, ["-c", _program(asks)], encoding="utf-8", timeout=60)
    found, _ = terminal.read().splitlines()
    assert found == "True"


@pytest.mark.parametrize(
    "body",
    [
        "threading.Event().wait()",
        "os.read(os.pipe()[0], 1)",
        "subprocess.run(['sleep', '60']); return ['late']",
    ],
    ids=["waits for itself", "waits in the system", "waits for a program"],
)
def test_it_ends_in_time(body: str) -> None:
    began = time.monotonic()
    found, took = _look(body)
    assert found == ""
    assert took >= SECONDS - 0.1
    # With what a busy machine takes to start an interpreter.
    assert time.monotonic() - began < SECONDS + 10


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    found, _ = _look(
        "program = subprocess.Popen(['sleep', '60']); open(os.environ['STARTED'], 'w').write(str(program.pid)); "
        "program.wait()",
        environment={"STARTED": str(started)},
    )
    assert found == ""
    assert not _is_running(int(started.read_text()))


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # Dead, and nobody has asked after it yet.
    return state != "Z"
