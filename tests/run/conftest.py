"""A session whose connections are in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.run.audience import Audience
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import Terms
from tests.run.world import World

if TYPE_CHECKING:
    from kubectl_safe.kube.client import Client

OpenSession = Callable[..., Session]


@dataclass
class Requests:
    """The part of a client that commands use by themselves: reads of single objects."""

    known: frozenset[str] = frozenset()
    status: int = 404
    clock_offset: timedelta = timedelta(0)
    paths: list[str] = field(default_factory=list)

    def request(self, method: str, path: str) -> Mapping[str, Any]:
        assert method == "GET"
        self.paths.append(path)
        if path not in self.known:
            raise ApiError("not found", status=self.status)
        return {}


@pytest.fixture
def open_session() -> OpenSession:
    """Return a function that makes a session of a world."""

    def opened(world: World, heard: Audience, *, requests: Requests | None = None, **terms: Any) -> Session:
        client = cast("Client", requests or Requests())
        session = Session(client=client, namespace=None, terms=Terms(**terms), audience=heard, now=world.now)
        session.observer = Observer(world, now=world.now)
        session.hands = world
        session._signal = world
        return session

    return opened
