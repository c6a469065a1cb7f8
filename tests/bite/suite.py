"""The tests of `decide` and `model`, run by a child of this process on code of which one module is replaced in memory.

`python -m tests.bite.suite` is the server: what is asked of it, a line of JSON each, it does in a fork of itself that
has the third-party modules already, and none of ours. So a question costs what its tests cost, and no file is changed.
"""

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Self

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("kubectl_safe", "tests")
DECIDING = ROOT / "kubectl_safe"

CPU_SECONDS = 60
"""What the tests may take: the code that is changed may loop for ever."""
MEMORY = 4 << 30

# Asserts are not rewritten: nobody reads how one fails, and the modules that are loaded already could not be.
_ARGUMENTS = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which tests to run, and on what."""

    tests: Sequence[str]
    """Files, from the repository's root."""
    module: str = ""
    """The module that is replaced (such as `kubectl_safe.decide.floor`); empty for none."""
    source: str = ""
    """All of its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it."""

    broken: str
    """The first test that broke, or what else did; empty where all passed, or none imports the module."""
    crash: str = ""
    """What our code raised and the test did not expect, or ended by; empty where a claim turned out wrong."""


class Suite:
    """The client of a server of its own, to be entered."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def run(self, question: Question) -> Answer:
        """Run tests up to the first that breaks.

        Raises:
            RuntimeError: they could not be run.
        """
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(asdict(question)) + "\n")
        self._server.stdin.flush()
        told = json.loads(self._server.stdout.readline() or '{"error": "the server of the tests is gone"}')
        if error := told.get("error"):
            raise RuntimeError(f"{question.module} by {' '.join(question.tests)}: {error}")
        return Answer(**told)


def path_of(module: str) -> Path:
    """Return the file of a module of ours."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


class _Replaced(SourceFileLoader):
    """Loads a module from other code than its file's, and leaves nothing on disk."""

    def __init__(self, module: str, source: str) -> None:
        super().__init__(module, str(path_of(module)))
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.get_filename(fullname), "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the one module."""
        del path, target
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None


class _FirstFailure:
    """A pytest plugin that notes what broke."""

    told: dict[str, str] | None = None

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]) -> None:
        assert call.excinfo
        paths = [Path(entry.path) for entry in call.excinfo.traceback]
        is_crash = isinstance(node, pytest.Collector) or any(path.is_relative_to(DECIDING) for path in paths)
        self.told = self.told or {"broken": node.nodeid, "crash": call.excinfo.typename if is_crash else ""}


def _told(question: Question) -> dict[str, str]:
    """Run the tests in this process, which is of no other use afterwards."""
    failure, replaced = _FirstFailure(), None
    if question.module:
        replaced = _Replaced(question.module, question.source)
        sys.meta_path.insert(0, replaced)
    status = pytest.main([*_ARGUMENTS, *question.tests], plugins=[failure])
    if status == pytest.ExitCode.OK or failure.told:
        return failure.told or {"broken": ""}
    # The tests' conftest can't be imported, which pytest reports as wrong usage.
    ended = f"pytest ended with {status!r}"
    return {"broken": "all tests", "crash": ended} if replaced else {"error": ended}


def _limited(question: Question) -> dict[str, str]:
    """Run the tests in this process, with no more than they may take, and without a word."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    with suppress(ValueError, OSError):  # not every system limits it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return _told(question)


def _ask(question: Question) -> dict[str, str]:
    """Run the tests in a fork."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = _limited(question)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told, and goes on alone
            told = {"error": repr(error)}
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        line = pipe.read()
    _, status = os.waitpid(child, 0)
    if line:
        found: dict[str, str] = json.loads(line)
        return found
    if os.WIFSIGNALED(status):
        return {"broken": "one that never ends", "crash": f"signal {os.WTERMSIG(status)}"}
    return {"error": "no answer"}


def _serve() -> None:
    for module in ("hypothesis", "pytest_timeout", "tests.conftest", "tests.support.abstract"):
        importlib.import_module(module)
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    # What is there already is looked at by no fork's garbage collection, or all of it would be copied.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_ask(Question(**json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
