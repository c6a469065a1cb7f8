"""Clients: requests at a set rate, whatever becomes of them, and an account of every one that was lost.

A request is lost unless it is answered with a whole, correct 200. Load goes to 127.0.0.1 only, and is bounded in rate
and time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.exchange import Answer, Dial, exchange
from kubectl_safe.sandbox.pod import is_whole

STREAM_SECONDS = 3.0
STREAM_SHARE = 0.15

_HIGHEST_RATE = 1000.0
_LONGEST_SECONDS = 1800.0
_MOST_IN_FLIGHT = 5000
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way in: a name, the host that requests are for, and the choice of where the next one goes."""

    name: str
    host: str
    dial: Callable[[], Dial]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A request that was lost; `started` and `moment`, in which it was lost, are `time.time()`.

    The reason is `refused`, `reset`, `truncated`, `timeout`, `wrong body`, or a status such as `502`. The pod is its
    name, or its address where a load balancer answered for it.
    """

    reason: str
    way: str
    pod: str
    is_stream: bool
    started: float
    moment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """What became of all requests; `latest` is by how many seconds one was sent late at worst."""

    total: int
    ok: int
    losses: tuple[Loss, ...]
    ok_by_pod: dict[str, int]
    ok_by_way: dict[str, int]
    latest: float

    @property
    def lost(self) -> int:
        """How many were lost."""
        return len(self.losses)

    @property
    def lost_by_reason(self) -> dict[str, int]:
        """How many were lost, by reason."""
        return dict(Counter(loss.reason for loss in self.losses))

    @property
    def lost_by_way(self) -> dict[str, int]:
        """How many were lost, by way in."""
        return dict(Counter(loss.way for loss in self.losses))


class Traffic:
    """An open-loop generator, as an async context manager; its end waits for the answers under way.

    Args:
        ways: the ways in, of which each request takes one at random.
        rate: requests a second, in all.
        seed: makes the choices repeatable.
        longest: seconds after which it ends by itself, with an error.
    """

    def __init__(
        self, ways: Sequence[Way], *, rate: float = 200.0, seed: int = 0, longest: float = _LONGEST_SECONDS
    ) -> None:
        if not 0 < rate <= _HIGHEST_RATE:
            raise ValueError(f"rate is {rate:g}: more than 0 and at most {_HIGHEST_RATE:g} requests a second")
        self._ways = ways
        self._rate = rate
        self._longest = longest
        self._random = Random(seed)
        self._sender: asyncio.Task[None] | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._losses: list[Loss] = []
        self._ok_by_pod: Counter[str] = Counter()
        self._ok_by_way: Counter[str] = Counter()
        self._sent = 0
        self._latest = 0.0

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Send no more, and wait until every request is answered or lost."""
        if self._sender is None:
            return
        sender, self._sender = self._sender, None
        sender.cancel()
        await asyncio.wait([sender])
        await asyncio.gather(*self._in_flight)
        if not sender.cancelled():
            sender.result()

    def report(self) -> TrafficReport:
        """Return the account so far; requests under way are not in it."""
        ok = self._ok_by_way.total()
        return TrafficReport(
            total=ok + len(self._losses),
            ok=ok,
            losses=tuple(self._losses),
            ok_by_pod=dict(self._ok_by_pod),
            ok_by_way=dict(self._ok_by_way),
            latest=self._latest,
        )

    async def _send(self) -> None:
        """Start requests when they are due, late ones at once."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while clock() - began < self._longest:
            due = began + self._sent / self._rate
            if due > clock():
                await asyncio.sleep(due - clock())
            self._latest = max(self._latest, clock() - due)
            if len(self._in_flight) >= _MOST_IN_FLIGHT:
                raise RuntimeError(f"{_MOST_IN_FLIGHT} requests are in flight: the rate is more than the pods answer")
            self._sent += 1
            way = self._random.choice(self._ways)
            request = asyncio.create_task(self._request(way, is_stream=self._random.random() < STREAM_SHARE))
            self._in_flight.add(request)
            request.add_done_callback(self._in_flight.discard)
        raise RuntimeError(f"traffic ran for {self._longest:g} s: nobody stopped it")

    async def _request(self, way: Way, *, is_stream: bool) -> None:
        started = moment.time()
        dial = way.dial()
        path, within = (f"/stream?seconds={STREAM_SECONDS:g}", STREAM_SECONDS) if is_stream else ("/", 0.0)
        answer = await exchange(dial.address, path, host=way.host, within=within + _ANSWER_SECONDS)
        pod = answer.headers.get("x-pod") or dial.pod or answer.headers.get("x-target", "")
        reason = _reason(answer)
        if reason is None:
            self._ok_by_pod[pod] += 1
            self._ok_by_way[way.name] += 1
        else:
            self._losses.append(
                Loss(reason=reason, way=way.name, pod=pod, is_stream=is_stream, started=started, moment=moment.time())
            )


def _reason(answer: Answer) -> str | None:
    """Return why an answer is a loss, or None."""
    if answer.fault is not None:
        return answer.fault.value
    if answer.status != 200:
        return str(answer.status)
    return None if is_whole(answer.body) else "wrong body"
