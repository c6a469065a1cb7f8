"""What a command line says of the way to a cluster: kubectl's global flags. It must not read anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The values of kubectl's global flags; what is not given is left to the kubeconfig."""

    kubeconfig: str | None = None
    """The file; None means those in `KUBECONFIG`, else `~/.kube/config` or, without any, the cluster that we run in."""
    context: str | None = None
    """Its name; None means the current one."""
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    token: str | None = field(default=None, repr=False)
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    is_insecure: bool | None = None
    """None where nothing is said of it."""
    tls_server_name: str | None = None
    request_timeout: timedelta | None = None
    """For the whole of one answer; a watch is no single answer. None means the usual times."""

    def flags(self) -> Iterator[str]:
        """Yield what another command line needs to lead to the same cluster, as the same user; never a credential."""
        named = {
            "--kubeconfig": self.kubeconfig,
            "--context": self.context,
            "--cluster": self.cluster,
            "--user": self.user,
            "--server": self.server,
            "--as": self.as_user,
            "--as-uid": self.as_uid,
            "--certificate-authority": self.certificate_authority,
            "--tls-server-name": self.tls_server_name,
        }
        for flag, value in named.items():
            if value:
                yield f"{flag}={value}"
        yield from (f"--as-group={group}" for group in self.as_groups)
        if self.is_insecure:
            yield "--insecure-skip-tls-verify"


def connection_of(values: dict[str, Any]) -> Connection:
    """Take what is said of the way to a cluster out of the values of all flags, by name; an empty one is as none."""
    found = {its.name: values.pop(its.name, None) for its in fields(Connection)}
    found["as_groups"] = tuple(filter(None, found["as_groups"] or ()))
    return Connection(**{name: value for name, value in found.items() if value})
