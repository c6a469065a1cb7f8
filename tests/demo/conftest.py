"""Runs of the demo, each with a directory of its own for all that it leaves behind."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.controlplane.build import can_have_binaries, ensure_binaries
from tests.support.background import Background, in_background
from tests.support.built import BuildError

SMALL = ("--pods", "2", "--nodes", "2", "--rate", "100", "--deregistration-delay", "1s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A run of the demo."""

    run: Background
    temporary: Path
    """Where its temporary files go, and nobody else's."""

    @property
    def files(self) -> list[Path]:
        """The files that are left."""
        return list(self.temporary.iterdir())

    @property
    def processes(self) -> list[str]:
        """The command lines of the processes that are left: all that it started have its TMPDIR."""
        mark = f"TMPDIR={self.temporary}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # gone, or not ours
        return found

    def rows(self) -> dict[str, tuple[int, int]]:
        """Return the requests, and those that were lost, by what was tried, from the closing table."""
        table = self.run.stdout.rpartition("REQUESTS")[2].splitlines()[1:]
        names = ("drain", "rollout restart")
        found = {}
        for line in table:
            name = next((n for n in (f"{t} {d}" for t in TOOLS for d in names) if line.startswith(f"{n} ")), None)
            if name is not None:
                requests, lost = line.removeprefix(name).split()[:2]
                found[name] = int(requests), int(lost)
        return found


TOOLS = ("kubectl", "kubectl safe", "like kubectl")

Begin = Callable[..., AbstractContextManager[Demo]]


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """The real kubectl; skips where there is none and none can be built, and fails there in CI."""
    if can_have_binaries():
        try:
            return ensure_binaries() / "kubectl"
        except BuildError as error:
            _miss(str(error))
    path = shutil.which("kubectl")
    if path is None:
        _miss("there is no kubectl")
    return Path(path)


def _miss(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Begin:
    """Starts `kubectl-safe demo` with flags, and with nothing but the named programs on the PATH."""

    @contextmanager
    def begun(*arguments: str, programs: dict[str, str | Path] | None = None) -> Iterator[Demo]:
        temporary, path = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("path")
        for name, program in (programs or {}).items():
            if isinstance(program, Path):
                (path / name).symlink_to(program)
            else:
                (path / name).write_text(f"#!/bin/sh\n{program}\n")
                (path / name).chmod(0o755)
        environment = os.environ | {"TMPDIR": str(temporary), "PATH": str(path), "HOME": str(temporary / "home")}
        with in_background([sys.executable, "-m", "kubectl_safe", "demo", *arguments], environment) as run:
            yield Demo(run=run, temporary=temporary)

    return begun
