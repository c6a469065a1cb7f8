"""The pod network of the sandbox: which loopback address stands behind a pod's IP and port.

The API server refuses loopback addresses in EndpointSlices, so pods bear IPs that exist nowhere and whoever dials one
asks here first. It must not answer for a pod that stopped listening: the system gives its port to another one.
"""

from collections.abc import Callable
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubectl_safe.sandbox.pod import PodServer


class PodNetwork:
    """Leads from a pod's IP and port to the loopback address that its server listens on."""

    def __init__(self) -> None:
        self._addresses: dict[str, dict[int, tuple[str, int]]] = {}
        self._node_ports: dict[tuple[str, int], Callable[[], tuple[str, int] | None]] = {}
        self._servers: dict[str, PodServer] = {}
        self._ips: dict[str, str] = {}

    def attach(self, ip: str, port: int, address: tuple[str, int]) -> None:
        """Lead from a port of an IP to an address of the loopback interface."""
        self._addresses.setdefault(ip, {})[port] = address

    def open_node_port(self, instance: str, port: int, choose: Callable[[], tuple[str, int] | None]) -> None:
        """Lead from a port of a node (its EC2 instance) to what `choose` returns at each connection, as kube-proxy."""
        self._node_ports[instance, port] = choose

    def switch_off(self, instance: str) -> None:
        """Lead nowhere from all ports of a node: its machine is taken away."""
        for key in [key for key in self._node_ports if key[0] == instance]:
            del self._node_ports[key]

    def detach(self, ip: str) -> None:
        """Lead nowhere from an IP any more; a server that still finishes its answers stays known."""
        self._addresses.pop(ip, None)

    def address(self, ip: str, port: int) -> tuple[str, int] | None:
        """Return where to dial a pod or a node, or None where nothing listens: a dialer counts that as refused.

        What is sent to a pod's address of the other family reaches the same server.
        """
        choose = self._node_ports.get((ip, port))
        return choose() if choose else self._addresses.get(twin(ip) if ":" in ip else ip, {}).get(port)

    def register(self, uid: str, ip: str, server: "PodServer") -> None:
        """Make the server of a pod known by the pod's UID and IP."""
        self._ips[uid] = ip
        self._servers[ip] = server

    def unregister(self, uid: str) -> None:
        """Forget the server of a pod, which has ended, and lead nowhere from its IP."""
        ip = self._ips.pop(uid, None)
        if ip is not None:
            self.detach(ip)
            self._servers.pop(ip, None)

    def server(self, ip: str) -> "PodServer | None":
        """Return the live server behind a pod's IP."""
        return self._servers.get(ip)

    def server_of(self, uid: str) -> "PodServer | None":
        """Return the live server of the pod with a UID."""
        return self._servers.get(self._ips.get(uid, ""))


def twin(ip: str) -> str:
    """Return a pod's address of the other IP family: 10.244.0.5 is fd00:10:244::5, digit by digit."""
    if ":" not in ip:
        first, second, third, fourth = ip.split(".")
        return str(IPv6Address(f"fd00:{first}:{second}:{third}::{fourth}"))
    groups = IPv6Address(ip).exploded.split(":")
    return ".".join(str(int(group)) for group in (*groups[1:4], groups[7]))
