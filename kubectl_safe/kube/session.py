"""One set of credentials, the connections that carry them, and the answers that come over them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from kubectl_safe import __version__
from kubectl_safe.kube.errors import ApiError, ConfigError, Unreachable

_CONNECT_SECONDS = 5.0
_UNAUTHORIZED = 401


class Session:
    """One set of credentials and the connections that carry them."""

    def __init__(self, configuration: Any) -> None:
        import urllib3
        from kubernetes.client.rest import RESTClientObject

        if not configuration.verify_ssl:
            # The kubeconfig asks for it, and kubectl doesn't warn either.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._configuration = configuration
        if configuration.host.rstrip(":/") in {"", "http", "https"}:
            raise ConfigError(f'host must be a URL or a host:port pair: "{configuration.host}"')
        # Without a scheme kubectl takes it for http.
        self.host: str = configuration.host if "://" in configuration.host else f"http://{configuration.host}"
        try:
            self._pool = RESTClientObject(configuration).pool_manager
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            # The last three: a field of the kubeconfig, such as proxy-url, that is no text.
            raise ConfigError(f"no connection to {self.host} can be made: {error}") from error

    def headers(self) -> dict[str, str]:
        """Return what every request carries; an expired token is renewed by the library."""
        from kubernetes.config import ConfigException

        try:
            token = self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
        except (ConfigException, OSError) as error:
            raise ApiError(
                f"the token can't be renewed: {error}", status=_UNAUTHORIZED, reason="Unauthorized"
            ) from error
        known = {"Accept": "application/json", "User-Agent": f"kubectl-safe/{__version__}"}
        return {**known, "Authorization": token} if token else known

    def url(self, path: str, query: Mapping[str, str] | None) -> str:
        """Return where a request goes."""
        return self.host + path + (f"?{urlencode(query)}" if query else "")

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
        preload_content: bool,
    ) -> Any:
        """Send one request and return urllib3's response, whatever its status.

        Raises:
            Unreachable: there was none.
        """
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        try:
            return self._pool.request(
                method,
                self.url(path, query),
                body=body,
                headers=headers,
                timeout=Timeout(connect=_CONNECT_SECONDS, read=timeout),
                retries=False,
                preload_content=preload_content,
            )
        except (HTTPError, OSError) as error:
            raise Unreachable(
                f"the API server {self.host} can't be reached: {error}; check the network, a VPN, and the "
                "kubeconfig's server"
            ) from error

    def close(self) -> None:
        """Close idle connections; what is on its way is left to end."""
        self._pool.clear()


def read_object(data: bytes, server: str) -> dict[str, Any]:
    """Return the object in an answer.

    Raises:
        Unreachable: it is none, so something else than an API server has answered.
    """
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise Unreachable(f"{server} answered something other than JSON; is it an API server?") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{server} answered something other than an object; is it an API server?")
    return answer


def refusal(response: Any) -> ApiError:
    """Return the error in a response; a proxy before the API server may answer without a `Status`."""
    # Also for a watch, whose body is not read yet: reading it gives the connection back.
    data = response.data
    try:
        status = json.loads(data)
        details = status.get("details") or {}
        message = status.get("message") or ""
        causes = tuple(str(cause.get("reason", "")) for cause in details.get("causes") or ())
        explained = [str(cause["message"]) for cause in details.get("causes") or () if cause.get("message")]
    except (ValueError, AttributeError, TypeError):
        return ApiError(
            data.decode(errors="replace")[:500].strip() or str(response.reason),
            status=response.status,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )
    # A budget's refusal has its figures in the cause; a validation's cause repeats the message.
    further = [text for text in explained if text not in message]
    return ApiError(
        " ".join([message, *further]),
        status=response.status,
        reason=status.get("reason") or "",
        causes=causes,
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
