"""The EndpointSlice controller: which pods each Service has, and how ready they are."""

from typing import Any

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    controller_reference,
    is_finished,
    is_ready,
    is_terminating,
    key_of,
    labels_of,
    uid_of,
)
from kubectl_safe.sandbox.cluster.store import Change

SERVICE = "kubernetes.io/service-name"
_MANAGER = "endpointslice.kubernetes.io/managed-by"
_OURS = "endpointslice-controller.k8s.io"
_HEADLESS = "service.kubernetes.io/headless"
_CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"
_MOST = 100
_IPV4, _IPV6 = "IPv4", "IPv6"

Ports = tuple[tuple[tuple[str, Any], ...], ...]


class EndpointSlices(Controller):
    """Keeps the slices of Services that have a selector."""

    watches = (kinds.SERVICES, kinds.PODS, kinds.SLICES, kinds.NODES)

    def changed(self, change: Change) -> None:
        """Enqueue the Services that select a pod or selected it, and that of a slice that somebody changed."""
        if change.resource is kinds.SERVICES:
            self.queue.add(key_of(change.object))
        elif change.resource is kinds.SLICES:
            if name := labels_of(change.object).get(SERVICE):
                self.queue.add((change.object["metadata"]["namespace"], name))
        elif change.resource is kinds.PODS:
            self._pod_changed(change)

    def _pod_changed(self, change: Change) -> None:
        before, pod = change.before, change.object
        is_change = change.type == "DELETED" or before is None or is_terminating(pod)
        if not is_change and before is not None and _endpoint_facts(before) == _endpoint_facts(pod):
            return
        versions = [labels_of(its) for its in (pod, before) if its is not None]
        for service in self.model.all(kinds.SERVICES, pod["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and any(selector.items() <= labels.items() for labels in versions):
                self.queue.add(key_of(service))

    def sync(self, key: Key) -> None:
        """Bring the slices of one Service up to date."""
        slices = [
            its
            for its in self.model.all(kinds.SLICES, key[0])
            if labels_of(its).get(SERVICE) == key[1] and labels_of(its).get(_MANAGER) == _OURS
        ]
        service = self.model.find(kinds.SERVICES, *key)
        if service is None or is_terminating(service):
            for its in slices:
                delete_if_there(self.model, kinds.SLICES, its)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        families = service["spec"].get("ipFamilies") or [_IPV4]
        for its in slices:
            if its["addressType"] not in families:
                delete_if_there(self.model, kinds.SLICES, its)
        for family in families:
            self._sync_family(service, family, [its for its in slices if its["addressType"] == family])

    def _sync_family(self, service: Json, family: str, slices: list[Json]) -> None:
        """Bring the slices of one IP family up to date: each has its own."""
        wanted = self._endpoints(service, family)
        # Without any endpoint there is one slice all the same, which is empty: the first endpoints come into it.
        empty = [its for its in slices if not its.get("endpoints") and () not in wanted]
        for ports in list(dict.fromkeys([*wanted, *(_ports_of(its) for its in slices)])) or [()]:
            same = [its for its in slices if _ports_of(its) == ports]
            if wanted.get(ports) and not same and empty:
                same = [empty.pop()]
                slices.remove(same[0])
            self._reconcile(service, family, ports, wanted.get(ports, []), same, is_only=not wanted)

    def _endpoints(self, service: Json, family: str) -> dict[Ports, list[Json]]:
        """Return the endpoints of a Service that have an address of a family, by the ports that they have."""
        selector = service["spec"]["selector"].items()
        found: dict[Ports, list[Json]] = {}
        for pod in self.model.all(kinds.PODS, service["metadata"]["namespace"]):
            address = next((ip for ip in _ips(pod) if (_IPV6 if ":" in ip else _IPV4) == family), "")
            if address and not is_finished(pod) and selector <= labels_of(pod).items():
                found.setdefault(_ports(service, pod), []).append(self._endpoint(service, pod, address))
        return found

    def _endpoint(self, service: Json, pod: Json, address: str) -> Json:
        serving, terminating = is_ready(pod), is_terminating(pod)
        publishes = bool(service["spec"].get("publishNotReadyAddresses"))
        endpoint: Json = {
            "addresses": [address],
            "conditions": {
                "ready": publishes or (serving and not terminating),
                "serving": serving,
                "terminating": terminating,
            },
            "targetRef": {
                "kind": "Pod",
                "namespace": pod["metadata"]["namespace"],
                "name": pod["metadata"]["name"],
                "uid": uid_of(pod),
            },
        }
        if name := pod["spec"].get("nodeName"):
            endpoint["nodeName"] = name
            node = self.model.find(kinds.NODES, "", name)
            if node and (zone := labels_of(node).get("topology.kubernetes.io/zone")):
                endpoint["zone"] = zone
        return endpoint

    def _reconcile(
        self, service: Json, family: str, ports: Ports, wanted: list[Json], slices: list[Json], *, is_only: bool
    ) -> None:
        """Change as few slices as can be: what is listed stays where it is, what is new fills up."""
        by_uid = {its["targetRef"]["uid"]: its for its in wanted}
        kept: list[tuple[Json, list[Json]]] = []
        for its in slices:
            listed = [its for its in its.get("endpoints") or () if its["targetRef"]["uid"] in by_uid]
            kept.append((its, [by_uid.pop(endpoint["targetRef"]["uid"]) for endpoint in listed]))
        rest = list(by_uid.values())
        for its, endpoints in kept:
            room = _MOST - len(endpoints)
            after = endpoints + rest[:room]
            rest = rest[room:]
            if not after and not is_only:
                delete_if_there(self.model, kinds.SLICES, its)
            else:
                self._update(service, its, ports, after)
        while rest:
            self._create(service, family, ports, rest[:_MOST])
            rest = rest[_MOST:]
        if is_only and not slices and not self._has_slices(service, family):
            self._create(service, family, (), [])

    def _has_slices(self, service: Json, family: str) -> bool:
        namespace, name = key_of(service)
        return any(
            labels_of(its).get(SERVICE) == name and its["addressType"] == family
            for its in self.model.all(kinds.SLICES, namespace)
        )

    def _labels(self, service: Json) -> dict[str, str]:
        labels = {**labels_of(service), SERVICE: service["metadata"]["name"], _MANAGER: _OURS}
        return {**labels, **({_HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {})}

    def _create(self, service: Json, family: str, ports: Ports, endpoints: list[Json]) -> None:
        metadata = {
            "generateName": f"{service['metadata']['name']}-",
            "labels": self._labels(service),
            "annotations": {_CHANGED: self.context.now},
            "ownerReferences": [controller_reference(service)],
        }
        body = {"metadata": metadata, "addressType": family, **_content(ports, endpoints)}
        self.model.create(kinds.SLICES, service["metadata"]["namespace"], body)

    def _update(self, service: Json, listing: Json, ports: Ports, endpoints: list[Json]) -> None:
        content = _content(ports if endpoints else (), endpoints)
        labels = self._labels(service)
        if labels_of(listing) == labels and all((listing.get(name) or []) == its for name, its in content.items()):
            return

        def change(before: Json) -> Json:
            annotations = {**(before["metadata"].get("annotations") or {}), _CHANGED: self.context.now}
            return {
                **before,
                "metadata": {**before["metadata"], "labels": labels, "annotations": annotations},
                **content,
            }

        self.model.update(kinds.SLICES, *key_of(listing), change)


def _content(ports: Ports, endpoints: list[Json]) -> Json:
    return {"ports": [dict(port) for port in ports], "endpoints": endpoints}


def _ports_of(listing: Json) -> Ports:
    return tuple(tuple(sorted(port.items())) for port in listing.get("ports") or ())


def _ports(service: Json, pod: Json) -> Ports:
    """Return a Service's ports as a pod has them: named ones by their number, without those that it lacks."""
    named = {
        port.get("name"): port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
    }
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else named.get(target)
        if number is not None:
            entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            found.append(tuple(sorted(entry.items())))
    return tuple(found)


def _endpoint_facts(pod: Json) -> tuple[object, ...]:
    """Return what has the controller look at a pod again (podEndpointsChanged): its phase alone has not."""
    spec = pod["spec"]
    return labels_of(pod), is_terminating(pod), is_ready(pod), _ips(pod), spec.get("hostname"), spec.get("subdomain")


def _ips(pod: Json) -> list[str]:
    return [its["ip"] for its in pod.get("status", {}).get("podIPs") or ()]
