"""The command line with nothing behind it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.cli.options import Common
from tests.support.api_server import GRANTED, Answer, ApiServer, Asked, Feed, is_review

NOBODY = 65534


@dataclass
class CommandLine:
    """Runs command lines; those that are accepted leave their request here instead of carrying it out."""

    capture: pytest.CaptureFixture[str]
    requests: list[Any] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    commons: list[Common] = field(default_factory=list)
    failure: BaseException | None = None
    """What the run raises."""

    def __call__(self, *arguments: str) -> "Ended":
        code = run(arguments)
        told = self.capture.readouterr()
        return Ended(code=code, out=told.out, err=told.err)

    def carry_out(self, request: Any, _: object) -> None:
        self.requests.append(request)
        if self.failure:
            raise self.failure

    @contextmanager
    def session_for(self, common: Common, *_: object, **options: Any) -> Iterator[None]:
        self.commons.append(common)
        self.sessions.append(options)
        yield


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def safe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    """`kubectl safe`, of a kubeconfig whose namespace is `shop`; details of faults go where the test's files go."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    line = CommandLine(capture=capsys)
    connected: Callable[..., object] = lambda _: SimpleNamespace(namespace="shop")  # noqa: E731
    for module in ("drain", "rollout"):
        monkeypatch.setattr(f"kubectl_safe.cli.{module}.connect", connected)
        monkeypatch.setattr(f"kubectl_safe.cli.{module}.session_for", line.session_for)
    monkeypatch.setattr("kubectl_safe.run.drain.drain", line.carry_out)
    monkeypatch.setattr("kubectl_safe.run.restart.restart", line.carry_out)
    return line


@dataclass
class EmptyCluster:
    """An API server without any object, and the real command line that asks it."""

    server: ApiServer
    kubeconfig: str
    capture: pytest.CaptureFixture[str]

    @property
    def writes(self) -> list[Asked]:
        """All that was asked for but reads and questions about rights."""
        return [asked for asked in self.server.asked if asked.method != "GET" and not is_review(asked)]

    def __call__(self, *arguments: str) -> Ended:
        return self.run(*arguments, "--kubeconfig", self.kubeconfig)

    def run(self, *arguments: str) -> Ended:
        """Run a command line as it is."""
        code = run(arguments)
        told = self.capture.readouterr()
        return Ended(code=code, out=told.out, err=told.err)


@pytest.fixture
def empty_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[EmptyCluster]:
    """`kubectl safe` against an API server that has nothing; its token is `a-token-of-an-admin`."""

    def script(asked: Asked) -> Answer | Feed:
        if asked.is_watch:
            return Feed()
        if is_review(asked):
            return GRANTED
        if asked.path == "/apis":
            return Answer(body={"groups": []})
        return Answer(body={"metadata": {"resourceVersion": "1"}, "items": []})

    with ApiServer(script) as server:
        kubeconfig = server.kubeconfig(tmp_path, user={"token": "a-token-of-an-admin"})
        yield EmptyCluster(server=server, kubeconfig=kubeconfig, capture=capsys)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A file that nobody may read or write, for somebody who isn't root: root may do everything."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        file = Path(folder) / "file"
        file.write_text("{}")
        file.chmod(0)
        us = os.geteuid()
        if us == 0:
            os.seteuid(NOBODY)
        try:
            yield file
        finally:
            os.seteuid(us)
