"""A scripted API server and a client of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_safe.kube.client import Client, connect
from kubectl_safe.model.connection import Connection
from tests.support.api_server import ApiServer, Script

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)

Serve = Callable[[Script], tuple[ApiServer, Client]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server that answers by a script, and return it with a client; both are closed at the end."""
    with ExitStack() as stack:

        def start(script: Script) -> tuple[ApiServer, Client]:
            server = stack.enter_context(ApiServer(script))
            client = connect(Connection(kubeconfig=server.kubeconfig(tmp_path)), now=lambda: NOON)
            stack.callback(client.close)
            return server, client

        yield start
