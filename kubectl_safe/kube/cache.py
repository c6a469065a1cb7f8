"""What is known of one kind of object, by UID. It only ever moves forward.

Two threads tell it things: a watch, which may lag, and whoever wrote an object and got the new one back.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal:
    """Wakes the one who waits when anything changed; changes while nobody waits are not lost."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Tell that something changed."""
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until something changed since the last wait, at most `timeout` seconds; tell whether it did."""
        changed = self._event.wait(timeout)
        self._event.clear()
        return changed


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A parsed object and its resourceVersion."""

    uid: str
    version: int
    value: T


class Cache(Generic[T]):
    """The objects of one kind.

    resourceVersions are compared as numbers, which Kubernetes guarantees since 1.35 and etcd always gave.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._lock = threading.Lock()
        self._known: dict[str, Known[T]] = {}
        self._deleted: set[str] = set()
        self._version = 0

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._version

    def read(self) -> tuple[int, Mapping[str, T]]:
        """Return the version and a copy of the objects by UID."""
        with self._lock:
            return self._version, {uid: known.value for uid, known in self._known.items()}

    def apply(self, new: Known[T]) -> None:
        """Take what a watch tells of an object that is there."""
        with self._lock:
            if new.uid in self._deleted:
                return
            self._keep(new)

    def put(self, new: Known[T]) -> None:
        """Take what a write or a read of one object returned; an object that is not known, or gone, stays so."""
        with self._lock:
            if new.uid in self._known:
                self._keep(new)

    def delete(self, uid: str) -> None:
        """Forget an object that a read or a write found gone; what a lagging watch still tells of it is ignored."""
        with self._lock:
            if self._known.pop(uid, None) is not None:
                self._deleted.add(uid)
                self._changed()

    def drop(self, uid: str) -> None:
        """Take a watch's DELETED."""
        with self._lock:
            self._deleted.discard(uid)
            if self._known.pop(uid, None) is not None:
                self._changed()

    def replace(self, listed: Mapping[str, Known[T]], version: int) -> None:
        """Take a whole list of that resourceVersion: what vanished goes, what is newer than the list stays."""
        with self._lock:
            kept = {uid: old for uid, old in self._known.items() if uid in listed or old.version > version}
            for uid, new in listed.items():
                old = kept.get(uid)
                if uid not in self._deleted and (old is None or old.version < new.version):
                    kept[uid] = new
            # Once a list doesn't have it any more, no later event can bring it back.
            self._deleted &= listed.keys()
            if kept != self._known or self._version == 0:
                self._known = kept
                self._changed()

    def _keep(self, new: Known[T]) -> None:
        old = self._known.get(new.uid)
        if old is None or old.version < new.version:
            self._known[new.uid] = new
            self._changed()

    def _changed(self) -> None:
        self._version += 1
        self._signal.set()
