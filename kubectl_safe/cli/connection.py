"""kubectl's global flags: the way to a cluster, for every command that speaks to one."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

import click

from kubectl_safe.cli.candidates import clusters, files, users
from kubectl_safe.cli.types import duration


def seconds_or_duration(text: str) -> timedelta | None:
    """Read the value of `--request-timeout`; None where there is to be none.

    Raises:
        click.BadParameter: it is neither seconds nor a duration.
    """
    if re.fullmatch(r"[0-9]{1,9}", text):
        return timedelta(seconds=int(text)) or None
    return duration(text) or None


def sendable(text: str) -> str:
    """Read what goes into a header.

    Raises:
        click.BadParameter: it has characters that no header has.
    """
    if not text.isprintable():
        raise click.BadParameter(f"{text!r} has control characters")
    return text


def _token(text: str) -> str:
    """Read a token, which is never shown."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise click.BadParameter("it has characters that no token has, such as spaces or line ends")
    return text


CONNECTION: Mapping[str, Callable[[Callable[..., None]], Callable[..., None]]] = {
    "request_timeout": click.option(
        "--request-timeout",
        type=seconds_or_duration,
        metavar="DURATION",
        default="0",
        show_default=True,
        help="The length of time to wait before giving up on a single server request; zero leaves it 30s without a "
        "byte. Watches go on.",
    ),
    "as_uid": click.option("--as-uid", type=sendable, metavar="UID", help="UID to impersonate for the operation."),
    "as_groups": click.option(
        "--as-group",
        "as_groups",
        type=sendable,
        multiple=True,
        metavar="NAME",
        help="Group to impersonate for the operation. May be given several times.",
    ),
    "as_user": click.option(
        "--as", "as_user", type=sendable, metavar="NAME", help="Username to impersonate for the operation."
    ),
    "is_insecure": click.option(
        "--insecure-skip-tls-verify",
        "is_insecure",
        is_flag=True,
        default=None,
        help="The server's certificate is not checked. This makes your HTTPS connections insecure.",
    ),
    "tls_server_name": click.option(
        "--tls-server-name",
        metavar="NAME",
        help="Server name to validate the server's certificate by; otherwise the host's.",
    ),
    "client_key": click.option(
        "--client-key", shell_complete=files, metavar="FILE", help="Path to a client key file for TLS."
    ),
    "client_certificate": click.option(
        "--client-certificate",
        shell_complete=files,
        metavar="FILE",
        help="Path to a client certificate file for TLS.",
    ),
    "certificate_authority": click.option(
        "--certificate-authority",
        shell_complete=files,
        metavar="FILE",
        help="Path to a cert file for the certificate authority.",
    ),
    "token": click.option(
        "--token", type=_token, metavar="TOKEN", help="Bearer token for authentication to the API server."
    ),
    "server": click.option("-s", "--server", metavar="URL", help="The address and port of the Kubernetes API server."),
    "user": click.option(
        "--user", shell_complete=users, metavar="NAME", help="The name of the kubeconfig user to use."
    ),
    "cluster": click.option(
        "--cluster", shell_complete=clusters, metavar="NAME", help="The name of the kubeconfig cluster to use."
    ),
}
"""By the field of `Connection` that each becomes, from the last in the help to the first."""
