"""What of the tool's modules is replaced in virtual time: threads, the clock, chance, and what opens sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from kubectl_safe.aws import client as aws_client
from kubectl_safe.aws import poller, schedule
from kubectl_safe.kube import backoff, cache, client, cluster, rights, watch
from kubectl_safe.run import leases, wanted
from tests.support.virtual import threads
from tests.support.virtual.api_server import VirtualSession
from tests.support.virtual.process import current

_THREADED = (aws_client, poller, cache, client, cluster, watch, leases, wanted)
_CHANCY = (backoff, schedule, watch)


def _uniform(low: float, high: float) -> float:
    return current().random.uniform(low, high)


def _randint(low: int, high: int) -> int:
    return current().random.randint(low, high)


def _monotonic() -> float:
    return current().elapsed()


@contextmanager
def wired() -> Iterator[None]:
    """Have the tool's modules live in the process that calls them, while this lasts."""
    random = SimpleNamespace(uniform=_uniform, randint=_randint)
    patches: list[Any] = [patch.object(module, "threading", threads) for module in _THREADED]
    patches += [patch.object(module, "random", random) for module in _CHANCY]
    patches += [
        patch.object(watch, "time", SimpleNamespace(monotonic=_monotonic)),
        patch.object(rights, "ThreadPoolExecutor", threads.ThreadPoolExecutor),
        patch.object(client, "Session", VirtualSession),
        patch.object(aws_client.Connections, "_client", lambda _self, place: cast("Any", current()).elbv2.of(place)),
    ]
    for its in patches:
        its.start()
    try:
        yield
    finally:
        for its in reversed(patches):
            its.stop()
