"""A process that starts others and ends them all when its own parent is gone, however that came.

Run as `python -m kubectl_safe.sandbox.supervise DIRECTORY`. Each line of its standard input is a process to start,
`{"name": ..., "arguments": [...], "environment": {...}, "log": PATH}` (whose environment may be null, for its own), or
one to end, `{"end": NAME}`; each line of its standard output tells that one started or ended. A name that ended can be
started again.
When the input closes, as it does when the parent dies by whatever signal, it ends its processes, removes the directory
(where one is named) and goes. It imports the standard library only, for it must be there at once.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 1.0


class _Terminated(BaseException):
    """A signal asks the supervisor to end."""


def main(directory: str = "") -> None:
    """Start what standard input asks for, until it closes; then end it all."""
    # The parent's Ctrl-C is the parent's to handle: it closes the pipe when it is ready.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _serve(processes, os.getppid())
    except (_Terminated, BrokenPipeError):
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _end(list(processes.values()))
        if directory:
            shutil.rmtree(directory, ignore_errors=True)


def _terminate(*_: object) -> None:
    raise _Terminated


def _serve(processes: dict[str, "subprocess.Popen[bytes]"], parent: int) -> None:
    received = b""
    ended: set[str] = set()
    # Another child of the parent may have inherited the pipe and hold it open, so the parent's death counts as well.
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], _POLL_SECONDS)
        if readable:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, received = (received + data).split(b"\n")
            for line in lines:
                _obey(json.loads(line), processes, ended)
        for name, process in processes.items():
            if name not in ended and process.poll() is not None:
                ended.add(name)
                _tell(name=name, ended=process.returncode)


def _obey(asked: dict[str, Any], processes: dict[str, "subprocess.Popen[bytes]"], ended: set[str]) -> None:
    """Start or end a process; the end is told by whoever looks next."""
    if "end" not in asked:
        ended.discard(asked["name"])
        _start(asked, processes)
    elif asked["end"] in processes:
        _end([processes[asked["end"]]])


def _start(asked: dict[str, Any], processes: dict[str, "subprocess.Popen[bytes]"]) -> None:
    name = asked["name"]
    with Path(asked["log"]).open("ab") as log:
        try:
            # A session of its own keeps the terminal's signals away: only the supervisor ends it.
            processes[name] = subprocess.Popen(
                asked["arguments"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=asked.get("environment"),
                start_new_session=True,
            )
        except OSError as error:
            log.write(f"{error}\n".encode())
            log.flush()  # who is told of the end reads the log at once
            _tell(name=name, ended=127)
        else:
            _tell(name=name, started=processes[name].pid)


def _tell(**fact: object) -> None:
    os.write(1, json.dumps(fact).encode() + b"\n")


def _end(processes: list["subprocess.Popen[bytes]"]) -> None:
    """End processes, the last started first: SIGTERM, and SIGKILL for those that outlive the grace."""
    for process in reversed(processes):
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    deadline = monotonic() + _GRACE_SECONDS
    while monotonic() < deadline and any(process.poll() is None for process in processes):
        sleep(0.02)
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
