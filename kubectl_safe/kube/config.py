"""Where the API server is and who we are there: the entries of a kubeconfig that a context, or flags, choose."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubectl_safe.kube.access import access
from kubectl_safe.kube.errors import ConfigError
from kubectl_safe.kube.kubeconfig import Entry, Kubeconfig, files_in, read, words_of
from kubectl_safe.kube.plugin import is_terminal
from kubectl_safe.model.connection import Connection

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A way to the API server."""

    namespace: str
    load: Callable[[], Any]
    """Reads files and runs the credential plugin anew; returns an `Access`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """The entries that are used."""

    context: str
    namespace: str
    cluster: Entry
    user: Entry


def login(connection: Connection) -> Login:
    """Return the way to the API server of a context, or of the cluster that we run in where there is no kubeconfig.

    Raises:
        ConfigError: there is no such file, context, cluster or user, or it can't be read.
    """
    if connection.kubeconfig:
        try:
            Path(connection.kubeconfig).stat()
        except (OSError, ValueError) as error:
            why = words_of(error) if isinstance(error, OSError) else str(error)
            raise ConfigError(f"stat {connection.kubeconfig}: {why}") from error
    paths, files = _files(connection.kubeconfig)
    if files:
        return _from_files(files, paths, connection)
    for name, kind in (
        (connection.context, "context"),
        (connection.cluster, "cluster"),
        (connection.user, "auth info"),
    ):
        if name:
            raise ConfigError(f'{kind} "{name}" does not exist')
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return Login(namespace=_own_namespace(), load=lambda: _load_in_cluster(connection))
    if connection.server:
        nothing = Entry(where="no kubeconfig")
        return Login(namespace="default", load=lambda: access(nothing, nothing, connection, is_terminal=is_terminal()))
    raise ConfigError(f"there is no kubeconfig ({paths}); name one with --kubeconfig or in KUBECONFIG")


def entries(kubeconfig: str | None) -> Kubeconfig:
    """Return all that there is to choose from; nothing where there is no kubeconfig.

    Args:
        kubeconfig: the file; None means `KUBECONFIG`, else `~/.kube/config`.

    Raises:
        ConfigError: it can't be read.
    """
    _, files = _files(kubeconfig)
    return read(files) if files else Kubeconfig()


def _files(kubeconfig: str | None) -> tuple[str, list[str]]:
    """Return where kubeconfigs are looked for, and those that there are."""
    # A file's name may have what stands between the names of several.
    if kubeconfig:
        return kubeconfig, [kubeconfig]
    paths = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    return paths, files_in(paths)


def _from_files(files: list[str], paths: str, connection: Connection) -> Login:
    first = _choose(read(files), paths, connection)
    # Whoever makes another context the current one meanwhile means other commands.
    pinned = replace(connection, context=first.context)

    def load() -> Any:
        chosen = _choose(read(files), paths, pinned)
        if chosen.cluster.fields.get("server") != first.cluster.fields.get("server"):
            raise ConfigError(f'the cluster of context "{first.context}" in "{paths}" has another server now')
        return access(chosen.cluster, chosen.user, pinned, is_terminal=is_terminal())

    return Login(namespace=first.namespace or "default", load=load)


def _choose(config: Kubeconfig, paths: str, connection: Connection) -> _Chosen:
    name = connection.context or config.current_context
    has_way = connection.server or connection.cluster
    if not name and not has_way:
        raise ConfigError(f'no current context is set in "{paths}"; choose one with --context')
    if name and name not in config.contexts:
        raise ConfigError(f'context "{name}" does not exist')
    context = config.contexts[name] if name else Entry(where="no context")
    cluster = _named(config.clusters, connection.cluster, context.text("cluster"), kind="cluster")
    user = _named(config.users, connection.user, context.text("user"), kind="auth info")
    if cluster is None:
        if not connection.server:
            raise ConfigError(f'context "{name}" in "{paths}" can\'t be used: {_missing(context)}')
        cluster = Entry(where=f'no cluster in "{paths}"')
    return _Chosen(
        context=name,
        namespace=context.text("namespace"),
        cluster=cluster,
        # Whom a context names and nobody describes is nobody, also to kubectl.
        user=user or Entry(where=f'no user in "{paths}"'),
    )


def _named(entries: Mapping[str, Entry], wanted: str | None, usual: str, *, kind: str) -> Entry | None:
    """Return the entry that a flag names, else the context's."""
    if wanted and wanted not in entries:
        raise ConfigError(f'{kind} "{wanted}" does not exist')
    return entries.get(wanted or usual)


def _missing(context: Entry) -> str:
    cluster = context.text("cluster")
    return f'cluster "{cluster}" does not exist' if cluster else "it names no cluster"


def _load_in_cluster(connection: Connection) -> Any:
    """Return the way to the cluster that we run in, as the service account of the pod."""
    where = "the service account of this pod"
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT") or "443"
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    authority = {"certificate-authority": str(_SERVICE_ACCOUNT / "ca.crt")}
    cluster = Entry(where=where, fields={"server": server, **authority})
    user = Entry(where=where, fields={"tokenFile": str(_SERVICE_ACCOUNT / "token")})
    try:
        return access(cluster, user, connection, is_terminal=False)
    except ConfigError as error:
        raise ConfigError(f"{where} can't be used: {error}") from error


def _own_namespace() -> str:
    if named := os.environ.get("POD_NAMESPACE"):
        return named
    try:
        return (_SERVICE_ACCOUNT / "namespace").read_text().strip() or "default"
    except OSError:
        return "default"
