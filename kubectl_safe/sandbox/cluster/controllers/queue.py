"""A controller's work queue: what is to be looked at, each thing once, after a moment or after a failure later.

The moment is random and comes from a seed: in which order controllers come to their work is not theirs to choose.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import Json, Key, stamp
from kubectl_safe.sandbox.cluster.refusals import RefusalError

FIRST_RETRY_SECONDS = 0.005
LONGEST_RETRY_SECONDS = 1000.0


@dataclass(frozen=True, kw_only=True)
class Context:
    """What all controllers of a cluster share.

    `pause` is the least and the longest time in seconds until a controller comes to its next piece of work.
    """

    model: Model
    loop: AbstractEventLoop
    random: Random
    pause: tuple[float, float]
    defects: list[Exception] = field(default_factory=list)
    """What controllers failed with that was no refusal."""

    @property
    def now(self) -> str:
        """This instant, as objects tell it."""
        return stamp(self.model.now())

    def event(self, about: Json, kind: str, reason: str, message: str, *, component: str) -> None:
        """Write an Event; one that is there already is counted."""
        metadata = about["metadata"]
        # Events about what is in no namespace are kept in `default`.
        namespace = metadata.get("namespace", "default")
        digest = self.model.random.getrandbits(32)
        for known in self.model.all(kinds.EVENTS, namespace):
            if known["involvedObject"]["uid"] == metadata["uid"] and known["message"] == message:
                again = {**known, "count": known["count"] + 1, "lastTimestamp": self.now}
                self.model.store.put(kinds.EVENTS, again)
                return
        body = {
            "metadata": {"name": f"{metadata['name']}.{digest:016x}"},
            "involvedObject": {
                "kind": about["kind"],
                "apiVersion": about["apiVersion"],
                "name": metadata["name"],
                "namespace": metadata.get("namespace", ""),
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": self.now,
            "lastTimestamp": self.now,
            "source": {"component": component},
            "reportingComponent": component,
        }
        try:
            self.model.create(kinds.EVENTS, namespace, body)
        except RefusalError:
            # The namespace is on its way out, and so is what the event is about.
            return


class WorkQueue:
    """Calls `work` with each key that was added, one at a time a key.

    A refusal makes it try again, later each time; whatever else is raised is a defect, kept and left to the event loop.
    """

    def __init__(self, context: Context, work: Callable[[Key], None]) -> None:
        self._context = context
        self._work = work
        self._due: dict[Key, TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Have a key looked at next, also where it waits for a retry."""
        self.add_after(key, self._context.random.uniform(*self._context.pause))

    def add_after(self, key: Key, seconds: float) -> None:
        """Have a key looked at after so many seconds, or sooner where it is due sooner."""
        loop = self._context.loop
        waiting = self._due.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + seconds:
                return
            waiting.cancel()
        self._due[key] = loop.call_later(seconds, self._process, key)

    def close(self) -> None:
        """Forget everything."""
        for waiting in self._due.values():
            waiting.cancel()
        self._due.clear()

    def _process(self, key: Key) -> None:
        del self._due[key]
        try:
            self._work(key)
        except RefusalError:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self.add_after(key, min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 20), LONGEST_RETRY_SECONDS))
        except Exception as error:
            self._context.defects.append(error)
            raise
        else:
            self._failures.pop(key, None)
