"""The command line with nothing behind it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.cli.options import Common


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
def safe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """`kubectl safe`, of a kubeconfig whose namespace is `shop`."""
    line = CommandLine(capture=capsys)
    connected: Callable[..., object] = lambda _: SimpleNamespace(namespace="shop")  # noqa: E731
    for module in ("drain", "rollout"):
        monkeypatch.setattr(f"kubectl_safe.cli.{module}.connect", connected)
        monkeypatch.setattr(f"kubectl_safe.cli.{module}.session_for", line.session_for)
    monkeypatch.setattr("kubectl_safe.run.drain.drain", line.carry_out)
    monkeypatch.setattr("kubectl_safe.run.restart.restart", line.carry_out)
    return line
