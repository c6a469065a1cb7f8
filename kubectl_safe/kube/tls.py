"""TLS to the API server: whom we trust, and the certificate that we show. Keys are left in no file."""

import base64
import binascii
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_safe.kube.errors import ConfigError

if TYPE_CHECKING:
    from kubectl_safe.kube.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What a kubeconfig and flags say of certificates; data goes before a file."""

    is_insecure: bool = False
    authority: str = ""
    authority_data: str = ""
    certificate: str = ""
    certificate_data: str = ""
    key: str = ""
    key_data: str = field(default="", repr=False)

    @property
    def is_any(self) -> bool:
        """Whether TLS is meant where the server's URL doesn't say."""
        named = (self.authority, self.authority_data, self.certificate, self.certificate_data)
        return self.is_insecure or any(named)


def context_for(certificates: Certificates, credentials: "Credentials") -> ssl.SSLContext:
    """Return how to speak TLS.

    Raises:
        ConfigError: a certificate or a key can't be read.
    """
    context = _trusting(certificates)
    if credentials.certificate:
        _show(context, credentials.certificate, credentials.key, of="of the credential plugin")
        return context
    has_certificate = bool(certificates.certificate or certificates.certificate_data)
    has_key = bool(certificates.key or certificates.key_data)
    if has_certificate and not has_key:
        raise ConfigError("client-key-data or client-key must be specified to use the clientCert authentication method")
    if has_certificate:
        shown = _content("client-certificate", certificates.certificate_data, certificates.certificate)
        key = _content("client-key", certificates.key_data, certificates.key)
        _show(context, shown, key, of="of the kubeconfig")
    return context


def _trusting(certificates: Certificates) -> ssl.SSLContext:
    data = ""
    if certificates.authority or certificates.authority_data:
        data = _content("certificate-authority", certificates.authority_data, certificates.authority)
    try:
        context = ssl.create_default_context(cadata=data or None)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"the certificate authority can't be used: {error}") from error
    # Some clusters' authorities lack what RFC 5280 asks for; kubectl doesn't mind.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificates.is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _content(name: str, data: str, path: str) -> str:
    """Return what a kubeconfig has in base64, else what a file has."""
    try:
        return base64.b64decode(data, validate=True).decode("ascii") if data else Path(path).read_text(encoding="ascii")
    except OSError as error:
        raise ConfigError(f"unable to read {name} {path}: {(error.strerror or str(error)).lower()}") from error
    except (binascii.Error, UnicodeError) as error:
        what = f"{name} {path}" if not data else f"{name}-data"
        raise ConfigError(f"{what} can't be used: it is not PEM{' in base64' if data else ''}") from error


def _show(context: ssl.SSLContext, certificate: str, key: str, *, of: str) -> None:
    # Python reads keys from files only: this one is gone before anything is sent.
    descriptor, path = tempfile.mkstemp(prefix="kubectl-safe-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{certificate.strip()}\n{key.strip()}\n")
        # A key with a password must not wait for somebody to type it.
        context.load_cert_chain(path, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(f"the client certificate {of} can't be used: {error}") from error
    finally:
        Path(path).unlink(missing_ok=True)
