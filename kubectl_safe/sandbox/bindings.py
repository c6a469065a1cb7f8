"""The TargetGroupBindings that a load balancer controller follows, in every API group that the cluster has them in."""

import asyncio
from collections import ChainMap
from collections.abc import Mapping, Sequence

from kubectl_safe.sandbox import targetgroupbinding
from kubectl_safe.sandbox.api import Api
from kubectl_safe.sandbox.informer import Handler, Informer, Key, Object


class Bindings:
    """Bindings by namespace and name: no two may have one, whatever their API groups."""

    def __init__(self, api: Api, groups: Sequence[str]) -> None:
        self._informers = [Informer(api, targetgroupbinding.collection(api=group)) for group in groups]
        self.objects: Mapping[Key, Object] = ChainMap(*(informer.objects for informer in self._informers))

    def listen(self, handler: Handler) -> None:
        """Have each change told."""
        for informer in self._informers:
            informer.handlers.append(handler)

    def of(self, namespace: str) -> list[Object]:
        """Return the bindings of a namespace."""
        return [subject for informer in self._informers for subject in informer.of(namespace)]

    async def run(self) -> None:
        """Follow them until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for informer in self._informers:
                tasks.create_task(informer.run())

    async def sync(self) -> None:
        """Wait until all are known."""
        for informer in self._informers:
            await informer.synced.wait()
