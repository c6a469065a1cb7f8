"""The client's side of a Service, as kube-proxy makes it: a choice among the endpoints that it has heard of so far.

Every update of the EndpointSlices takes effect late, in order. A connection that is made is never touched again.
"""

import asyncio
from random import Random

from kubectl_safe.sandbox.api import Api, Event
from kubectl_safe.sandbox.exchange import Address, Dial
from kubectl_safe.sandbox.informer import Key, Object, key_of
from kubectl_safe.sandbox.network import PodNetwork

LAG_SECONDS = (0.5, 2.0)


class ServiceProxy:
    """Follows one Service; `lag` is the least and the longest time that an update takes, in seconds."""

    def __init__(
        self,
        api: Api,
        network: PodNetwork,
        *,
        namespace: str,
        service: str,
        lag: tuple[float, float] = LAG_SECONDS,
        seed: int = 0,
    ) -> None:
        self.synced = asyncio.Event()
        self._updates = api.watch(
            f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
            labelSelector=f"kubernetes.io/service-name={service}",
        )
        self._network = network
        self._lag = lag
        self._random = Random(seed)
        self._slices: dict[Key, Object] = {}
        self._waiting: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()

    async def run(self) -> None:
        """Follow the Service until cancelled; what there is at the beginning counts at once."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._apply_late())
            clock = asyncio.get_running_loop().time
            due = 0.0
            async for event in self._updates:
                if event.type == "SYNCED":
                    self.synced.set()
                elif not self.synced.is_set():
                    self._apply(event)
                else:
                    due = max(due, clock() + self._random.uniform(*self._lag))
                    self._waiting.put_nowait((due, event))

    def dial(self) -> Dial:
        """Choose an endpoint for a new connection.

        Ready ones, and where there are none those that still serve while they terminate, as kube-proxy does:
        https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-to-terminating-endpoints
        """
        choices = self.ready() or [its for its in self._listed() if _serves_while_terminating(its[0])]
        if not choices:
            return Dial(None)
        endpoint, port = self._random.choice(choices)
        pod = endpoint.get("targetRef", {}).get("name", "")
        return Dial(self._network.address(endpoint["addresses"][0], port), pod)

    def choose(self) -> Address | None:
        """Choose an endpoint for a connection to a node port."""
        return self.dial().address

    def ready(self) -> list[tuple[Object, int]]:
        """Return the endpoints that it believes ready, with their port."""
        return [its for its in self._listed() if its[0].get("conditions", {}).get("ready") is not False]

    def _listed(self) -> list[tuple[Object, int]]:
        return [
            (endpoint, port["port"])
            for listing in self._slices.values()
            for port in (listing.get("ports") or [])[:1]
            for endpoint in listing.get("endpoints") or []
        ]

    async def _apply_late(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, event = await self._waiting.get()
            await asyncio.sleep(due - clock())
            self._apply(event)

    def _apply(self, event: Event) -> None:
        if event.type == "DELETED":
            self._slices.pop(key_of(event.object), None)
        else:
            self._slices[key_of(event.object)] = event.object


def _serves_while_terminating(endpoint: Object) -> bool:
    conditions = endpoint.get("conditions", {})
    return bool(conditions.get("terminating")) and conditions.get("serving") is not False
