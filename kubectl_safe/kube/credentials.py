"""Who we are to the API server: a token, what a plugin says, or a name and a password. It must not print any of it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic

from kubectl_safe.kube.errors import ConfigError
from kubectl_safe.kube.kubeconfig import Entry, words_of
from kubectl_safe.kube.plugin import Plugin
from kubectl_safe.model.connection import Connection

_FILE_SECONDS = 60.0
"""A token in a file is read again after this long: kubelets replace a service account's long before it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What we show of ourselves."""

    authorization: Callable[[], str] = lambda: ""
    """Returns the header's value; empty for none."""
    certificate: str = ""
    """In PEM; empty where the kubeconfig's own is shown, if any."""
    key: str = field(default="", repr=False)
    expires: datetime | None = None


def credentials_of(user: Entry, flags: Connection, *, cluster: Entry, is_terminal: bool) -> Credentials:
    """Return what a user's entry and flags say; a token goes before a plugin.

    Raises:
        ConfigError: there are none to be had.
    """
    token, file = user.text("token"), user.path("tokenFile")
    if flags.token:
        found = _bearer(flags.token, "--token")
    elif file:
        found = Credentials(authorization=_TokenFile(Path(file)))
    elif token:
        found = _bearer(token, f"{user.where}: its token")
    elif user.entry("exec"):
        found = _of_plugin(user, cluster, is_terminal=is_terminal)
    elif user.entry("auth-provider"):
        found = _bearer(_of_provider(user), f"{user.where}: the token of its auth-provider")
    else:
        found = _basic(user.text("username"), user.text("password"))
    return found


def _basic(name: str, password: str) -> Credentials:
    if not name:
        return Credentials()
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return Credentials(authorization=lambda: f"Basic {pair}")


def _bearer(token: str, what: str) -> Credentials:
    value = _checked(token, what)
    return Credentials(authorization=lambda: value)


def _checked(token: str, what: str) -> str:
    """Return a header's value; a token that is none is not shown, as it may be one but for a character."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{what} can't be sent: it has characters that no token has, such as spaces or line ends")
    return f"Bearer {token}"


def _of_plugin(user: Entry, cluster: Entry, *, is_terminal: bool) -> Credentials:
    said = Plugin(user.entry("exec"), cluster=cluster).run(is_terminal=is_terminal)
    value = _checked(said.token, "the token of the credential plugin") if said.token else ""
    return Credentials(authorization=lambda: value, certificate=said.certificate, key=said.key, expires=said.expires)


def _of_provider(user: Entry) -> str:
    """Return the token of an `auth-provider`, which the kubernetes library renews."""
    try:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException
        from kubernetes.config.kube_config import KubeConfigLoader
    except ImportError as error:
        # An archive that needs no Python may come without it.
        raise ConfigError(f"{user.where}: an auth-provider can't be used here; use a plugin (exec)") from error

    config = {
        "current-context": "only",
        "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
        "clusters": [{"name": "only", "cluster": {}}],
        "users": [{"name": "only", "user": {"auth-provider": dict(user.entry("auth-provider").fields)}}],
    }
    configuration = Configuration()
    try:
        KubeConfigLoader(config_dict=config).load_and_set(configuration)
    except (ConfigException, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(f"{user.where}: its auth-provider can't be used: {error}") from error
    token = str(configuration.api_key.get("BearerToken") or "").removeprefix("Bearer ")
    if not token:
        raise ConfigError(f"{user.where}: its auth-provider gives no token; use a credential plugin (exec)")
    return token


class _TokenFile:
    """The token in a file, which somebody else replaces from time to time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._value = self._read()
        self._read_at = monotonic()

    def __call__(self) -> str:
        with self._lock:
            if monotonic() - self._read_at >= _FILE_SECONDS:
                self._value = self._read()
                self._read_at = monotonic()
            return self._value

    def _read(self) -> str:
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"the token in {self._path} can't be read: {words_of(error)}") from error
        except UnicodeError as error:
            raise ConfigError(f"the token in {self._path} can't be read: it is no text") from error
        if not token:
            raise ConfigError(f"the token in {self._path} can't be read: the file is empty")
        return _checked(token, f"the token in {self._path}")
