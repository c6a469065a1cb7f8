"""The real executable before a server that answers without end: an error, in little memory, and no traceback."""

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import EmptyCluster
from tests.support.api_server import Answer, Asked, Cut, Feed, write_kubeconfig

MOST_KIB = 300 << 10
"""What a run may take up; one that does nothing has about 70 MiB."""

GIB = 1 << 30
POD = b'{"metadata":{"uid":"u","name":"web-1","namespace":"shop","resourceVersion":"1"},"spec":{},"status":{}},'
DEEP = b"[" * 1024


class Endless(socketserver.ThreadingTCPServer):
    """Answers every list with a gibibyte of what it is told to repeat."""

    daemon_threads = True
    allow_reuse_address = True
    repeated = POD
    answers_first = b"\0"
    """What it answers plainly: the groups that are served."""


class Handler(socketserver.StreamRequestHandler):
    """One request of a connection."""

    def handle(self) -> None:
        assert isinstance(self.server, Endless)
        line = self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        is_post = line.startswith(b"POST")
        block = self.server.repeated * (65536 // len(self.server.repeated))
        try:
            if is_post:
                self._answer(b'{"status":{"allowed":true}}')
            elif line.startswith(b"GET " + self.server.answers_first + b" "):
                self._answer(b'{"groups":[]}')
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                self.wfile.write(b'{"items":[')
                for _ in range(GIB // len(block)):
                    self.wfile.write(block)
        except OSError:
            return

    def _answer(self, body: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.fixture
def endless() -> Iterator[Endless]:
    with Endless(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


COMMANDS = [
    ["drain", "node-1"],
    ["rollout", "restart", "deployment/web"],
    ["check"],
    ["status"],
]


MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""Runs a command from a small process: what one takes up at most begins with the size of what it was forked from."""


def ended(arguments: list[str]) -> tuple[int, str, int]:
    """Run the executable; return its exit code, what it wrote, and the KiB that it took up at most."""
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "kubectl_safe", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    told, _, most = done.stdout.rstrip().rpartition("\n")
    return done.returncode, told, int(most)


@pytest.mark.parametrize("repeated", [POD, DEEP], ids=["pods", "brackets"])
@pytest.mark.parametrize("first", [b"\0", b"/apis"], ids=["whatever is asked", "every list at once"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_list_of_a_gibibyte_is_an_error_in_little_memory(
    endless: Endless, tmp_path: Path, arguments: list[str], first: bytes, repeated: bytes
) -> None:
    endless.repeated, endless.answers_first = repeated, first
    kubeconfig = write_kubeconfig(tmp_path, f"http://127.0.0.1:{endless.server_address[1]}")
    code, told, most = ended([*arguments, "--kubeconfig", kubeconfig])
    assert code in {1, 2}, told
    assert "error: " in told
    assert "answered with more than 128 MiB at once; is it an API server?" in told
    assert "Traceback" not in told
    assert "kubectl-safe failed" not in told
    assert most < MOST_KIB, f"{most >> 10} MiB"


def test_names_of_ten_kilobytes_are_an_error_that_does_not_repeat_them(empty_cluster: EmptyCluster) -> None:
    name = "n" * 10_240
    empty = empty_cluster.server.script

    def script(asked: Asked) -> Answer | Feed | Cut:
        answer = empty(asked)
        if isinstance(answer, Answer) and asked.path.endswith("/pods") and not asked.is_watch:
            answer.body["items"] = [json.loads(POD[:-1].replace(b"web-1", name.encode()))]
        return answer

    empty_cluster.server.script = script
    for arguments in COMMANDS:
        told = empty_cluster(*arguments)
        assert told.code in {1, 2}
        assert "a name of 10240 characters" in told.err
        assert "nnnnn" not in told.err + told.out
        assert "Traceback" not in told.err
