"""The proxy that the environment names for a server, as Go programs read it (golang.org/x/net/http/httpproxy)."""

import ipaddress
import os
from urllib.parse import urlsplit


def environment_proxy(host: str) -> str:
    """Return the URL of the proxy for a server, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY; empty where there is none.

    None stands before what runs on this machine.

    Args:
        host: the server's URL.
    """
    parts = urlsplit(host)
    proxy = _variable(f"{parts.scheme}_proxy")
    if not proxy or not parts.hostname or is_local(parts.hostname):
        return ""
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    if any(_is_excluded(parts.hostname, port, entry.strip().lower()) for entry in _variable("no_proxy").split(",")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(name: str) -> str:
    return os.environ.get(name.upper()) or os.environ.get(name) or ""


def is_local(hostname: str) -> bool:
    """Tell whether a name, or an address, is of this machine."""
    address = _address(hostname)
    return address.is_loopback if address else hostname == "localhost"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _is_excluded(hostname: str, port: int, entry: str) -> bool:
    """Tell whether an entry of NO_PROXY is about a server: `*`, an address, a network, or the name of a domain."""
    if not entry or entry == "*":
        return entry == "*"
    address = _address(hostname)
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    name, colon, wanted = entry.rpartition(":") if not _address(entry) else (entry, "", "")
    name = name if colon else entry
    if colon and wanted != str(port):
        return False
    if address or _address(name):
        return address == _address(name)
    # A leading dot leaves out the domain itself.
    domain = name.removeprefix("*")
    return hostname.endswith(domain if domain.startswith(".") else f".{domain}") or hostname == domain


def _is_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
