"""A local copy of a collection of API objects, kept by a watch, and a word to whoever cares about each change."""

import asyncio
from collections.abc import Callable
from typing import Any

from kubectl_safe.sandbox.api import Api

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for what has none) and name."""
Handler = Callable[[Object | None, Object | None], None]
"""Takes an object as it was and as it is; one of them is None where it came or went."""


def key_of(subject: Object) -> Key:
    """Return an object's namespace and name."""
    return subject["metadata"].get("namespace", ""), subject["metadata"]["name"]


class Informer:
    """Follows a collection; its objects are by namespace and name."""

    def __init__(self, api: Api, path: str, **query: str) -> None:
        self.objects: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self.handlers: list[Handler] = []
        self._api = api
        self._path = path
        self._query = query

    async def run(self) -> None:
        """Follow the collection until cancelled."""
        async for event in self._api.watch(self._path, **self._query):
            if event.type == "SYNCED":
                self.synced.set()
                continue
            self._apply(event.object, is_deleted=event.type == "DELETED")

    def of(self, namespace: str) -> list[Object]:
        """Return the objects of a namespace."""
        return [subject for (its, _name), subject in self.objects.items() if its == namespace]

    def _apply(self, subject: Object, *, is_deleted: bool) -> None:
        key = key_of(subject)
        old = self.objects.pop(key, None)
        if not is_deleted:
            self.objects[key] = subject
        for handler in self.handlers:
            handler(old, None if is_deleted else subject)
