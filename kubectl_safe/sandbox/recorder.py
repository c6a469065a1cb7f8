"""Events that an actor of the sandbox tells of an object, as client-go's recorder writes them.

It must not fail its caller: as in client-go, an Event that can't be written is dropped.
"""

import contextlib

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.informer import Object


class Recorder:
    """Writes Events in the name of a component; the same one told again counts up the one that is there."""

    def __init__(self, api: Api, component: str) -> None:
        self._api = api
        self._component = component
        self._told: dict[tuple[str, str, str], tuple[str, int]] = {}

    async def warn(self, subject: Object, reason: str, message: str) -> None:
        """Tell of a failure on an object."""
        await self._tell("Warning", subject, reason, message)

    async def tell(self, subject: Object, reason: str, message: str) -> None:
        """Tell of what went well on an object."""
        await self._tell("Normal", subject, reason, message)

    async def _tell(self, kind: str, subject: Object, reason: str, message: str) -> None:
        path = f"/api/v1/namespaces/{subject['metadata']['namespace']}/events"
        key = subject["metadata"]["uid"], reason, message
        name, count = self._told.get(key, ("", 0))
        with contextlib.suppress(ApiError):
            if name:
                again = {"count": count + 1, "lastTimestamp": _now()}
                await self._api.patch(f"{path}/{name}", again, kind="strategic-merge-patch")
            else:
                created = await self._api.create(path, self._event(kind, subject, reason, message))
                name = created["metadata"]["name"]
            self._told[key] = name, count + 1

    def _event(self, kind: str, subject: Object, reason: str, message: str) -> Object:
        metadata, now = subject["metadata"], _now()
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": subject["apiVersion"],
                "kind": subject["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }


def _now() -> str:
    return moment.stamp()
