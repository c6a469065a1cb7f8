"""What it takes to speak to an API server as somebody: its address, TLS, a proxy, and credentials.

It is made of a cluster's and a user's entry in a kubeconfig, and of flags that go before them as kubectl has it
(k8s.io/client-go, tools/clientcmd/client_config.go).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kubectl_safe.kube.credentials import credentials_of
from kubectl_safe.kube.errors import ConfigError
from kubectl_safe.kube.kubeconfig import Entry
from kubectl_safe.kube.proxies import environment_proxy, is_local
from kubectl_safe.kube.tls import Certificates, context_for
from kubectl_safe.model.connection import Connection

if TYPE_CHECKING:
    import ssl

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OF_NAMES = "!#$&'*+"
"""What a header's name may have beside letters, digits and `_.-~` (RFC 9110, 5.6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A way to an API server, as somebody."""

    host: str
    """Its URL."""
    tls: "ssl.SSLContext | None"
    """None where the URL is not https."""
    server_name: str
    """Whom its certificate has to be of; empty for the host."""
    proxy: str
    """The URL of what stands between; empty where nothing does."""
    authorization: Callable[[], str]
    """Returns a header's value, empty without a token. It raises `ConfigError`."""
    expires: datetime | None
    """When all this has to be made anew."""
    impersonation: tuple[tuple[str, str], ...]
    """Headers."""


def access(cluster: Entry, user: Entry, flags: Connection, *, is_terminal: bool) -> Access:
    """Return the way to a cluster as a user; credential plugins are run.

    Args:
        cluster: its entry; empty where flags say all.
        user: the same.
        flags: of the command line.
        is_terminal: whether somebody may be asked to log in.

    Raises:
        ConfigError: it can't be had.
    """
    certificates = _certificates(cluster, user, flags)
    host = _host(flags.server or cluster.text("server"), is_tls=certificates.is_any)
    impersonation = impersonation_of(user, flags)
    credentials = credentials_of(user, flags, cluster=cluster, is_terminal=is_terminal)
    is_tls = host.startswith("https://")
    # Nobody on the way may read who we are; kubectl sends no credential without TLS either.
    is_shown = is_tls or is_local(urlsplit(host).hostname or "")
    return Access(
        host=host,
        tls=context_for(certificates, credentials) if is_tls else None,
        server_name=_server_name(cluster, flags),
        proxy=cluster.text("proxy-url") or environment_proxy(host),
        authorization=credentials.authorization if is_shown else lambda: "",
        expires=credentials.expires,
        impersonation=impersonation,
    )


def impersonation_of(user: Entry, flags: Connection) -> tuple[tuple[str, str], ...]:
    """Return the headers by which somebody acts as somebody else.

    Raises:
        ConfigError: a group, a UID or an extra field is named, and no user.
    """
    name = flags.as_user or user.text("as")
    groups = flags.as_groups or tuple(user.texts("as-groups"))
    uid = flags.as_uid or user.text("as-uid")
    extra = user.entry("as-user-extra")
    if not name:
        if groups or uid or extra:
            raise ConfigError("requesting uid, groups or user-extra without impersonating a user: add --as")
        return ()
    headers = [("Impersonate-User", name), *(("Impersonate-Group", group) for group in groups)]
    headers += [("Impersonate-Uid", uid)] if uid else []
    for key in extra.fields:
        escaped = quote(str(key).lower(), safe=_OF_NAMES)
        headers += [(f"Impersonate-Extra-{escaped}", value) for value in extra.texts(key)]
    return tuple((header, _header_value(header, value)) for header, value in headers)


def _header_value(header: str, value: str) -> str:
    if _CONTROL.search(value):
        raise ConfigError(f"{value!r} can't be sent as {header}: it has control characters")
    # HTTP is bytes; the library writes them as Latin-1.
    return value.encode().decode("latin-1")


def _certificates(cluster: Entry, user: Entry, flags: Connection) -> Certificates:
    # What the command line says of trust replaces all that the kubeconfig says of it, and so with a key's two halves.
    if flags.is_insecure or flags.certificate_authority:
        is_insecure, authority = bool(flags.is_insecure), flags.certificate_authority or ""
        authority_data = ""
    else:
        is_insecure, authority = cluster.is_on("insecure-skip-tls-verify"), cluster.path("certificate-authority")
        authority_data = cluster.text("certificate-authority-data")
    if is_insecure and (authority or authority_data):
        raise ConfigError("specifying a root certificates file with the insecure flag is not allowed")
    return Certificates(
        is_insecure=is_insecure,
        authority=authority,
        authority_data=authority_data,
        certificate=flags.client_certificate or user.path("client-certificate"),
        certificate_data="" if flags.client_certificate else user.text("client-certificate-data"),
        key=flags.client_key or user.path("client-key"),
        key_data="" if flags.client_key else user.text("client-key-data"),
    )


def _server_name(cluster: Entry, flags: Connection) -> str:
    # Another server has another name.
    is_other = bool(flags.tls_server_name or flags.server)
    return (flags.tls_server_name or "") if is_other else cluster.text("tls-server-name")


def _host(server: str, *, is_tls: bool) -> str:
    if not server:
        raise ConfigError("no server is named for the cluster: name one with --server, or a cluster with --cluster")
    host = server.rstrip("/")
    if host.rstrip(":/") in {"", "http", "https"}:
        raise ConfigError(f'host must be a URL or a host:port pair: "{server}"')
    host = host if "://" in host else f"{'https' if is_tls else 'http'}://{host}"
    try:
        parts = urlsplit(host)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or _CONTROL.search(host) or " " in host:
        raise ConfigError(f'host must be a URL or a host:port pair: "{server}"')
    return host
