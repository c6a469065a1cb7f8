"""Where the API server is and who we are there: the kubernetes library reads kubeconfigs and runs credential plugins.

What it says of a broken kubeconfig is put into kubectl's words.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl_safe.kube.errors import ConfigError

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A way to the API server."""

    namespace: str
    load: Callable[[], Any]
    """Reads files and runs the credential plugin anew; returns a `kubernetes.client.Configuration`."""


def login(*, kubeconfig: str | None, context: str | None) -> Login:
    """Return the way to the API server of a context, or of the cluster that we run in where there is no kubeconfig.

    Args:
        kubeconfig: the file; None means `KUBECONFIG`, else `~/.kube/config`.
        context: its name; None means the current one.

    Raises:
        ConfigError: there is no such file or context, or it can't be read.
    """
    if kubeconfig:
        try:
            Path(kubeconfig).stat()
        except OSError as error:
            raise ConfigError(f"stat {kubeconfig}: {_words(error)}") from error
    paths = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if _existing(paths):
        return _from_file(paths, context)
    if context:
        raise ConfigError(f'context "{context}" does not exist')
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return Login(namespace=_own_namespace(), load=_load_in_cluster)
    raise ConfigError(f"there is no kubeconfig ({paths}); name one with --kubeconfig or in KUBECONFIG")


def _from_file(paths: str, context: str | None) -> Login:
    chosen = _loader(paths, context).current_context
    return Login(
        namespace=str((chosen.get("context") or {}).get("namespace") or "default"),
        load=lambda: _load_from_file(paths, context),
    )


def _loader(paths: str, context: str | None) -> Any:
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        merged = KubeConfigMerger(paths).config
        names = [str(entry["name"]) for entry in merged["contexts"].value]
        wanted = context or merged.value.get("current-context")
    except (OSError, YAMLError, ConfigException, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(_fault_of(paths) or f'error loading config file "{paths}": {error}') from error
    if not wanted:
        raise ConfigError(f'no current context is set in "{paths}"; choose one with --context')
    if wanted not in names:
        raise ConfigError(f'context "{wanted}" does not exist')
    try:
        return KubeConfigLoader(config_dict=merged, active_context=wanted, config_base_path=None)
    except (ConfigException, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(f'context "{wanted}" in "{paths}" can\'t be used: {error}') from error


def _existing(paths: str) -> list[str]:
    found = []
    for path in paths.split(os.pathsep):
        with suppress(OSError):
            if path and Path(path).expanduser().stat():
                found.append(path)
    return found


def _fault_of(paths: str) -> str:
    """Return which of several files is broken and how, in kubectl's words; empty where none is by itself."""
    import yaml

    for path in _existing(paths):
        try:
            content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
        except OSError as error:
            verb = "read" if isinstance(error, IsADirectoryError) else "open"
            why = f"{verb} {path}: {_words(error)}"
        except UnicodeError:
            why = "yaml: invalid UTF-8"
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            why = f"yaml: line {line}: {error.problem}"
        except yaml.YAMLError as error:
            why = f"yaml: {getattr(error, 'reason', error)}"
        else:
            if content is None or isinstance(content, dict):
                continue
            why = f"it is a {type(content).__name__} where a Config is expected"
        return f'error loading config file "{path}": {why}'
    return ""


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _load_from_file(paths: str, context: str | None) -> Any:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException

    loader = _loader(paths, context)
    configuration = Configuration()
    with _complaints() as complaints:
        try:
            loader.load_and_set(configuration)
        except (ConfigException, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ConfigError(f'credentials in "{paths}" can\'t be used: {error}') from error
    # The library only logs that a plugin failed, and would go on as nobody.
    if complaints and not configuration.api_key and not configuration.cert_file:
        raise ConfigError(f"getting credentials: {'; '.join(complaints)}")
    return configuration


def _load_in_cluster() -> Any:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ConfigError(f"the service account of this pod can't be used: {error}") from error
    return configuration


def _own_namespace() -> str:
    try:
        return (_SERVICE_ACCOUNT / "namespace").read_text().strip() or "default"
    except OSError:
        return "default"


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what is logged as an error meanwhile; that also keeps the root logger from printing it."""
    handler = _Complaints()
    logging.getLogger().addHandler(handler)
    try:
        yield handler.texts
    finally:
        logging.getLogger().removeHandler(handler)
