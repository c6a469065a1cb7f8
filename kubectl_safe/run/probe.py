"""`--probe`: what clients get, all along a run: a GET through the real load balancer about once a second.

What Kubernetes and AWS say of a pod is one thing, what comes out in front is another. It only asks and remembers; what
follows from a failure is decided elsewhere.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, Self

from kubectl_safe import __version__
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.masking import mask_text

if TYPE_CHECKING:
    import requests

EVERY = timedelta(seconds=1)
TIMEOUT = timedelta(seconds=5)
"""A whole answer takes at most this long."""

_LONGEST_BODY = 100
_CHUNK = 1 << 16
_FAILED = 400

_HEADERS = {
    # A new connection goes where the load balancer sends new clients; one that is kept shows one pod for ever.
    "Connection": "close",
    "Cache-Control": "no-cache",
    "User-Agent": f"kubectl-safe/{__version__}",
}


class Signal(Protocol):
    """What wakes the run loop."""

    def set(self) -> None:
        """Tell that something changed."""


class Probe:
    """Asks URLs while its context lasts, each in a thread of its own.

    Args:
        urls: to ask; http or https.
        signal: is set by the first failure.
        now: reads the clock.
        every: from the beginning of one request to that of the next, unless an answer takes longer.
    """

    def __init__(
        self, urls: Sequence[str], *, signal: Signal, now: Callable[[], datetime], every: timedelta = EVERY
    ) -> None:
        self.failure: str | None = None
        """The first failure during the run, with its time, and for good: a request that was lost stays lost."""
        self._urls = tuple(dict.fromkeys(urls))
        self._signal = signal
        self._now = now
        self._every = every
        self._lock = threading.Lock()
        self._requests = 0
        self._failures = 0
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(url,), name=f"probe {mask_text(url)}", daemon=True)
            for url in self._urls
        ]

    def __enter__(self) -> Self:
        """Ask each URL once, and then again and again.

        Raises:
            KubectlSafeError: one doesn't answer, so it can't tell anything about the run.
        """
        for url in self._urls:
            fact = self._ask(url)
            if fact:
                raise KubectlSafeError(
                    f"nothing was changed: {_named(url)} failed: {fact}; a probe has to succeed before any pod is moved"
                )
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            # What is on its way counts, too.
            thread.join((TIMEOUT + EVERY).total_seconds())

    @property
    def summary(self) -> str:
        """The closing line's part: `probe: 214 requests, 1 failed`."""
        with self._lock:
            return f"probe: {self._requests} request{'' if self._requests == 1 else 's'}, {self._failures} failed"

    @property
    def counts(self) -> tuple[int, dict[str, int]]:
        """How many requests were sent until now, and how many of them failed."""
        with self._lock:
            return self._requests, {"failed": self._failures} if self._failures else {}

    def _run(self, url: str) -> None:
        pause = self._every
        while not self._stopping.wait(max(timedelta(0), pause).total_seconds()):
            began = self._now()
            fact = self._ask(url)
            if fact:
                self._take(f"{_named(url)} failed at {began.isoformat(timespec='seconds')}: {fact}")
            pause = min(self._every, self._every - (self._now() - began))

    def _take(self, failure: str) -> None:
        with self._lock:
            if self.failure is not None:
                return
            self.failure = failure
        self._signal.set()

    def _ask(self, url: str) -> str:
        """Send one request and return why it has failed; empty where it hasn't."""
        began = self._now()
        try:
            fact = _fact(url, is_late=lambda: self._now() - began > TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever keeps an answer from coming, there is none
            fact = _words(error)
        with self._lock:
            self._requests += 1
            self._failures += bool(fact)
        return fact


def _fact(url: str, *, is_late: Callable[[], bool]) -> str:
    import requests

    with (
        # A session of its own has a connection of its own.
        requests.Session() as session,
        session.get(
            url, headers=_HEADERS, timeout=TIMEOUT.total_seconds(), allow_redirects=False, stream=True
        ) as response,
    ):
        start = b""
        # The timeout is for each read; an answer that comes in drops is no answer either.
        while (chunk := response.raw.read1(_CHUNK)) and not is_late():
            start = start or chunk
        if is_late():
            return f"no whole answer within {TIMEOUT.seconds} s"
        if response.status_code < _FAILED:
            return ""
        words = f"{response.status_code} {response.reason or ''}".rstrip()
        said = _start_of(response, start)
        return f"{words}: {said}" if said else words


def _start_of(response: "requests.Response", body: bytes) -> str:
    """Return the first words of a body that people can read."""
    if not response.headers.get("Content-Type", "").startswith(("text/plain", "application/json")):
        return ""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return ""
    return mask_text(" ".join(body.decode(errors="replace").split()))[:_LONGEST_BODY]


def _words(error: Exception) -> str:
    """Return what is at the bottom of an error: libraries wrap it in layers that repeat the URL with its query."""
    import requests
    from urllib3.exceptions import HTTPError
    from urllib3.exceptions import TimeoutError as NoTime

    if isinstance(error, requests.Timeout | NoTime):
        return f"no whole answer within {TIMEOUT.seconds} s"
    if isinstance(error, HTTPError):
        # requests has its own errors for everything up to the headers.
        return "the answer was cut short"
    bottom: BaseException = error
    while (cause := bottom.__cause__ or bottom.__context__) is not None:
        bottom = cause
    return mask_text(str(bottom)) or type(bottom).__name__


def _named(url: str) -> str:
    return f"probe GET {mask_text(url)}"
