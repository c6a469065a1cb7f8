"""Credential plugins: programs that a kubeconfig names, which tell who we are (client.authentication.k8s.io/v1)."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubectl_safe.kube.errors import ConfigError
from kubectl_safe.kube.kubeconfig import Entry

_GROUP = "client.authentication.k8s.io"
_VERSIONS = {f"{_GROUP}/v1", f"{_GROUP}/v1beta1"}
_ENOUGH_SECONDS = 60.0
"""For a plugin that asks nobody anything."""
_LAST_WORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a plugin says."""

    token: str = field(default="", repr=False)
    certificate: str = ""
    key: str = field(default="", repr=False)
    expires: datetime | None = None


class Plugin:
    """A program that is run for credentials.

    Args:
        entry: `exec` of a user.
        cluster: what it is told of, if it wants to.

    Raises:
        ConfigError: the entry can't be used.
    """

    def __init__(self, entry: Entry, *, cluster: Entry) -> None:
        self._version = entry.text("apiVersion")
        if self._version not in _VERSIONS:
            known = " or ".join(sorted(_VERSIONS))
            raise ConfigError(f"{entry.where}: apiVersion is {self._version!r}, it has to be {known}")
        command = entry.text("command")
        if not command:
            raise ConfigError(f"{entry.where}: command must be specified")
        # A name is looked for on the PATH, a path starts at the kubeconfig.
        self._command = str(entry.folder / command) if "/" in command else command
        self._arguments = entry.texts("args")
        self._environment = {item.text("name"): item.text("value") for item in entry.entries("env")}
        self._hint = entry.text("installHint")
        self._mode = entry.text("interactiveMode") or "IfAvailable"
        self._cluster = _told_of(cluster) if entry.is_on("provideClusterInfo") else None

    def run(self, *, is_terminal: bool) -> Said:
        """Return what it says.

        Args:
            is_terminal: whether somebody sits there who may be asked.

        Raises:
            ConfigError: it can't be run, fails, or says something else.
        """
        is_interactive = is_terminal and self._mode != "Never"
        if self._mode == "Always" and not is_terminal:
            raise ConfigError(f"getting credentials: exec: {self._command} needs a terminal to log in at")
        try:
            done = subprocess.run(  # noqa: S603 - the user's own
                [self._command, *self._arguments],
                stdin=None if is_interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # Where somebody is asked to log in, it is here.
                stderr=None if is_interactive else subprocess.PIPE,
                env={**os.environ, **self._environment, "KUBERNETES_EXEC_INFO": self._info(is_interactive)},
                timeout=None if is_interactive else _ENOUGH_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            hint = f". {self._hint}" if self._hint else ""
            raise ConfigError(f"getting credentials: exec: executable {self._command} not found{hint}") from error
        except subprocess.TimeoutExpired as error:
            raise ConfigError(
                f"getting credentials: exec: {self._command} gave no answer for {_ENOUGH_SECONDS:.0f}s"
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigError(f"getting credentials: exec: {self._command} can't be run: {error}") from error
        if done.returncode:
            words = (done.stderr or b"").decode(errors="replace").strip()[-_LAST_WORDS:]
            raise ConfigError(
                f"getting credentials: exec: process returned {done.returncode}{f'. {words}' if words else ''}"
            )
        return self._read(done.stdout)

    def _info(self, is_interactive: bool) -> str:  # noqa: FBT001 - one value
        spec = {"interactive": is_interactive, **({"cluster": self._cluster} if self._cluster else {})}
        told = {"kind": "ExecCredential", "apiVersion": self._version, "spec": spec}
        return json.dumps(told, separators=(",", ":"))

    def _read(self, output: bytes) -> Said:
        """Read an `ExecCredential`; what it says is shown to nobody."""
        try:
            said = json.loads(output)
            if said["kind"] != "ExecCredential" or said["apiVersion"] != self._version:
                raise self._odd(f"it speaks of {said['kind']} {said['apiVersion']}, wanted is {self._version}")
            status = said["status"]
            token, certificate, key = (
                _text(status, name) for name in ("token", "clientCertificateData", "clientKeyData")
            )
            expires = _instant(_text(status, "expirationTimestamp"))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise self._odd("its output is no ExecCredential") from error
        if bool(certificate) != bool(key):
            raise self._odd("clientCertificateData and clientKeyData have to come together")
        if not token and not certificate:
            raise self._odd("its output has neither a token nor a certificate")
        return Said(token=token, certificate=certificate, key=key, expires=expires)

    def _odd(self, why: str) -> ConfigError:
        return ConfigError(f"getting credentials: exec: {self._command}: {why}")


def _text(status: Mapping[str, Any], name: str) -> str:
    value = status.get(name) or ""
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told_of(cluster: Entry) -> dict[str, Any]:
    """Return what a plugin is told of a cluster (client.authentication.k8s.io, Cluster)."""
    names = {
        "server": "server",
        "tls-server-name": "tls-server-name",
        "insecure-skip-tls-verify": "insecure-skip-tls-verify",
        "certificate-authority-data": "certificate-authority-data",
        "proxy-url": "proxy-url",
    }
    found = {told: cluster.fields[name] for name, told in names.items() if cluster.fields.get(name)}
    for extension in cluster.entries("extensions"):
        if extension.text("name") == f"{_GROUP}/exec":
            found["config"] = extension.fields.get("extension")
    path = cluster.path("certificate-authority")
    if path and "certificate-authority-data" not in found:
        import base64

        try:
            found["certificate-authority-data"] = base64.b64encode(Path(path).read_bytes()).decode()
        except OSError as error:
            raise ConfigError(f"unable to read certificate-authority {path}: {error}") from error
    return found


def is_terminal() -> bool:
    """Tell whether somebody sits there who may be asked to log in."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
