"""Keeps a cache of one kind in step with the API server: a list, then a watch from there, for as long as it takes.

A watch that can't be trusted any more begins anew with a list; so does one that came to its end in good order, so that
whatever it left out is known some minutes later. While there is no connection, the kind is not live, and nothing may be
decided on it.
"""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from kubectl_safe.kube.backoff import Backoff
from kubectl_safe.kube.cache import Cache, Known, Signal
from kubectl_safe.kube.client import Client, Stream
from kubectl_safe.kube.errors import ApiError, Unreachable
from kubectl_safe.kube.listing import MOST_OBJECTS, PAGE, limit
from kubectl_safe.kube.parse import check_name

T = TypeVar("T")

SILENCE = timedelta(seconds=75)
"""The server sends a bookmark about once a minute: a watch that is silent for longer has stalled."""
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What parsing JSON of another shape raises, also JSON that is nested without end."""
_LEAST_SECONDS, _MOST_SECONDS = 200, 280
_JOIN_SECONDS = 5
_GONE = 410
_SOON_SECONDS = 1.0


class _UntrustedError(Exception):
    """What a watch said can't be followed: the only way on is a new list."""


class Watcher(Generic[T]):
    """A thread that keeps one cache.

    Args:
        client: the API server's client.
        kind: the plural name, for errors.
        path: the collection's path.
        parse: turns the JSON of one object into a value.
        cache: what it keeps.
        signal: is set when the connection comes or goes.
        silence: after which a watch counts as stalled.
        page: how many objects are listed at once.
    """

    def __init__(
        self,
        client: Client,
        *,
        kind: str,
        path: str,
        parse: Callable[[Mapping[str, Any]], T],
        cache: Cache[T],
        signal: Signal,
        silence: timedelta = SILENCE,
        page: int = PAGE,
    ) -> None:
        self.kind = kind
        self.cache = cache
        self.is_live = False
        self.settled = threading.Event()
        """Set once it is live for the first time, or has failed for a reason that will not pass."""
        self.trouble: ApiError | None = None
        """Why there is no connection."""
        self._client = client
        self._path = path
        self._parse = parse
        self._signal = signal
        self._silence = silence.total_seconds()
        self._limit = limit(page)
        self._stopping = threading.Event()
        self._stream: Stream | None = None
        self._version: str | None = None
        self._listed = 0.0
        self._backoff = Backoff(first=0.1, longest=5)
        self._thread = threading.Thread(target=self._run, name=f"watch {kind}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end, without waiting for it."""
        self._stopping.set()
        if (stream := self._stream) is not None:
            stream.close()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join(_JOIN_SECONDS)

    def known(self, raw: Mapping[str, Any]) -> Known[T]:
        """Return an object of this kind, parsed.

        Raises:
            Exception: one of `UNREADABLE`, where it is not one.
        """
        check_name(raw)
        meta = raw["metadata"]
        return Known(meta["uid"], int(meta["resourceVersion"]), self._parse(raw))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._version is None:
                    self._list()
                self._watch(self._version or "")
            except _UntrustedError:
                self._version = None
                self._set_live(Unreachable(f"the watch on {self.kind} lost its thread and lists anew"))
                self._pause(0)
            except ApiError as error:
                if error.status == _GONE:
                    self._version = None
                if not self._stopping.is_set():
                    self._set_live(error)
                    self._pause(error.retry_after or 0)
        self.is_live = False

    def _list(self) -> None:
        """List page by page into the cache."""
        found: dict[str, Known[T]] = {}
        query = self._limit
        for page in itertools.count(1):
            answer = self._client.request("GET", self._path, query=query)
            try:
                for raw in answer.get("items") or ():
                    new = self.known(raw)
                    found[new.uid] = new
                meta = answer["metadata"]
                version = str(int(meta["resourceVersion"]))
            except UNREADABLE as error:
                # Whoever keeps the error keeps what this frame has.
                answer.clear()
                raise ApiError(f"a list of {self.kind} can't be read: {error!r}", status=0) from error
            if not meta.get("continue"):
                break
            if len(found) + page > MOST_OBJECTS:
                raise ApiError(f"a list of {self.kind} has no end after {len(found)} of them", status=0)
            query = {**self._limit, "continue": meta["continue"]}
        self.cache.replace(found, int(version))
        self._version = version
        self._listed = time.monotonic()

    def _watch(self, version: str) -> None:
        """Follow one watch to its end in good order."""
        seconds = random.randint(_LEAST_SECONDS, _MOST_SECONDS)  # noqa: S311 - spreads load, guards nothing
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        began = time.monotonic()
        stream = self._stream = self._client.stream(self._path, query, self._silence)
        if self._stopping.is_set():
            stream.close()
        self._set_live(None)
        try:
            for line in stream:
                self._version = self._take(line)
                self._backoff.reset()
        finally:
            self._stream = None
        if time.monotonic() - self._listed >= _LEAST_SECONDS:
            self._version = None
        # Some watches end at once and empty; asking again at once would be a busy loop.
        if time.monotonic() - began < _SOON_SECONDS:
            self._pause(0)

    def _take(self, line: bytes) -> str:
        """Take one event into the cache and return its resourceVersion."""
        try:
            event = json.loads(line)
            kind, raw = event["type"], event["object"]
            if kind == "BOOKMARK":
                return str(int(raw["metadata"]["resourceVersion"]))
            new = self.known(raw)
        except UNREADABLE as error:
            raise _UntrustedError from error
        match kind:
            case "ADDED" | "MODIFIED":
                self.cache.apply(new)
            case "DELETED":
                self.cache.drop(new.uid)
            case _:
                raise _UntrustedError
        return str(new.version)

    def _set_live(self, trouble: ApiError | None) -> None:
        self.trouble = trouble
        was_live, self.is_live = self.is_live, trouble is None
        if trouble is None or not trouble.will_pass:
            self.settled.set()
        if trouble is not None or not was_live:
            self._signal.set()

    def _pause(self, at_least: float) -> None:
        self._stopping.wait(max(at_least, self._backoff.next()))
