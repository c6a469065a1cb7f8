"""One set of credentials, the connections that carry them, and the answers that come over them.

Whoever answers may be anybody: no more of an answer is read than an API server can mean.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from kubectl_safe import __version__
from kubectl_safe.kube.errors import ApiError, ConfigError, Unreachable
from kubectl_safe.model.masking import MASKED

if TYPE_CHECKING:
    from kubectl_safe.kube.access import Access

_CONNECT_SECONDS = 5.0
_UNAUTHORIZED = 401
_FAILED = 400
_CHUNK = 1 << 16
_LARGE = 4 << 20
_LARGEST = 128 << 20
"""Bytes of an answer; 20,000 pods in one page have as many."""
_MOST_VALUES = 6_000_000
"""As many as 20,000 pods have in JSON, and as many again."""
_SEPARATORS = (b",", b"{", b"[")
_ONE_AT_A_TIME = threading.Lock()
"""Is held while a large answer is read, or parsed: there is a watch for each kind, and memory for one of them."""
_LARGEST_REFUSAL = 1 << 20
_LONGEST_MESSAGE = 4096
_CONNECTIONS = 32
"""Kept open for what comes next; a run has a watch for each kind."""
_SHORTEST_SECRET = 8
"""A shorter one would be found in words that have nothing to do with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: read to its end, or a watch that has begun."""

    status: int
    reason: str
    headers: Mapping[str, str]
    data: bytes | None
    """None where it is a watch."""
    response: Any
    """urllib3's."""


class Session:
    """One set of credentials and the connections that carry them."""

    def __init__(self, access: "Access") -> None:
        self._access = access
        self.host: str = access.host
        try:
            self._pool = _pool(access)
        except (OSError, ValueError, ImportError) as error:
            raise ConfigError(f"no connection to {self.host} can be made: {error}") from error

    @property
    def expires(self) -> datetime | None:
        """When other credentials are needed."""
        return self._access.expires

    def headers(self) -> MutableMapping[str, str]:
        """Return what every request carries.

        Raises:
            ApiError: the token can't be read any more.
        """
        from urllib3 import HTTPHeaderDict

        headers = HTTPHeaderDict({"Accept": "application/json", "User-Agent": f"kubectl-safe/{__version__}"})
        try:
            authorization = self._access.authorization()
        except ConfigError as error:
            raise ApiError(
                f"the token can't be renewed: {error}", status=_UNAUTHORIZED, reason="Unauthorized"
            ) from error
        if authorization:
            headers["Authorization"] = authorization
        for name, value in self._access.impersonation:
            headers.add(name, value)
        return headers

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
        within: float | None,
        is_watch: bool,
    ) -> Reply:
        """Send one request and return the answer, whatever its status.

        Args:
            method: of HTTP.
            path: from `/api` or `/apis` on.
            query: parameters of the query string.
            body: of the request.
            headers: of the request.
            timeout: seconds without a byte of the answer.
            within: seconds for the whole answer; None where it may take its time.
            is_watch: whether the answer goes on and on; it is then not read, unless it is a refusal.

        Raises:
            ApiError: the answer has no end, or there was none.
        """
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        until = None if within is None else time.monotonic() + within
        try:
            response = self._pool.request(
                method,
                self.url(path, query),
                body=body,
                headers=headers,
                timeout=Timeout(connect=_least(_CONNECT_SECONDS, within), read=_least(timeout, within)),
                retries=False,
                preload_content=False,
            )
            is_open = is_watch and response.status < _FAILED
            data = None if is_open else self._read(response, until)
        except (HTTPError, OSError) as error:
            raise Unreachable(
                f"the API server {self.host} can't be reached{self._through()}: {error}; check the network, a VPN, "
                "and the kubeconfig's server"
            ) from error
        return Reply(
            status=response.status,
            reason=str(response.reason or ""),
            headers=response.headers,
            data=data,
            response=response,
        )

    def close(self) -> None:
        """Close idle connections; what is on its way is left to end."""
        self._pool.clear()

    def masked(self, text: str) -> str:
        """Return a text of the server without the credential that it was sent."""
        secret = self._access.authorization().rpartition(" ")[2]
        return text.replace(secret, MASKED) if len(secret) >= _SHORTEST_SECRET else text

    def _through(self) -> str:
        proxy = urlsplit(self._access.proxy).hostname if self._access.proxy else None
        return f" through the proxy {proxy}" if proxy else ""

    def _read(self, response: Any, until: float | None) -> bytes:
        """Return all of an answer; of a refusal its beginning."""
        found = bytearray()
        is_refusal = response.status >= _FAILED
        if self._fill(found, response, until, limit=_LARGEST_REFUSAL if is_refusal else _LARGE):
            return bytes(found)
        if not is_refusal:
            with _ONE_AT_A_TIME:
                if self._fill(found, response, until, limit=_LARGEST):
                    return bytes(found)
        response.close()
        if is_refusal:
            return bytes(found)
        # Whoever keeps the error keeps what this frame has.
        found.clear()
        size = f"more than {_LARGEST >> 20} MiB"
        raise ApiError(f"{self.host} answered with {size} at once; is it an API server?", status=0)

    def _fill(self, found: bytearray, response: Any, until: float | None, *, limit: int) -> bool:
        """Read an answer up to a limit, and tell whether that was all."""
        while len(found) <= limit:
            chunk = response.read1(_CHUNK)
            if not chunk:
                return True
            found += chunk
            if until is not None and time.monotonic() > until:
                response.close()
                raise Unreachable(
                    f"the API server {self.host} gave no whole answer in time; --request-timeout may be longer"
                )
        return False


def _pool(access: "Access") -> Any:
    """Return urllib3's connections.

    Raises:
        ValueError: the proxy's URL is none.
    """
    import urllib3

    options: dict[str, Any] = {"maxsize": _CONNECTIONS}
    if access.tls is not None:
        options |= {"ssl_context": access.tls, "cert_reqs": access.tls.verify_mode}
        if not access.tls.check_hostname:
            # The kubeconfig asks for it, and kubectl doesn't warn either.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if access.server_name:
        options["server_hostname"] = access.server_name
    if not access.proxy:
        return urllib3.PoolManager(**options)
    parts = urlsplit(access.proxy)
    if parts.scheme in {"socks5", "socks5h"}:
        from urllib3.contrib.socks import SOCKSProxyManager

        # The proxy looks up the name, as with kubectl: it is the one that knows the network.
        return SOCKSProxyManager(access.proxy.replace("socks5://", "socks5h://", 1), **options)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the proxy has to be a URL of http, https or socks5")
    login = f"{parts.username}:{parts.password or ''}" if parts.username else None
    return urllib3.ProxyManager(
        access.proxy, proxy_headers=urllib3.make_headers(proxy_basic_auth=login) if login else None, **options
    )


def _least(usual: float, within: float | None) -> float:
    return usual if within is None else min(usual, within)


def read_object(data: bytes, server: str) -> dict[str, Any]:
    """Return the object in an answer.

    Raises:
        ApiError: it is none, so something else than an API server has answered.
    """
    if len(data) <= _LARGE:
        return _object(data, server)
    with _ONE_AT_A_TIME:
        # A few bytes of JSON become a hundred in memory.
        if sum(map(data.count, _SEPARATORS)) > _MOST_VALUES:
            why = f"{server} answered with more than {_MOST_VALUES} values at once; is it an API server?"
            raise ApiError(why, status=0)
        return _object(data, server)


def _object(data: bytes, server: str) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise Unreachable(f"{server} answered something other than JSON; is it an API server?") from error
    except RecursionError as error:
        raise Unreachable(f"{server} answered JSON that is nested without end; is it an API server?") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{server} answered something other than an object; is it an API server?")
    return answer


def refusal(reply: Reply, *, masked: Callable[[str], str]) -> ApiError:
    """Return the error in an answer; a proxy before the API server may answer without a `Status`.

    Args:
        reply: the answer.
        masked: takes out of a text what nobody may read.
    """
    data = reply.data or b""
    retry_after = _seconds(reply.headers.get("Retry-After"))
    try:
        status = json.loads(data)
        details = status.get("details") or {}
        message = status.get("message") or ""
        causes = tuple(str(cause.get("reason", "")) for cause in details.get("causes") or ())
        explained = [str(cause["message"]) for cause in details.get("causes") or () if cause.get("message")]
        # A budget's refusal has its figures in the cause; a validation's cause repeats the message.
        told = " ".join([message, *(text for text in explained if text not in message)])
        reason = str(status.get("reason") or "")
    except (ValueError, AttributeError, TypeError, RecursionError):
        words = data[:_LONGEST_MESSAGE].decode(errors="replace")[:500].strip()
        return ApiError(masked(words or reply.reason), status=reply.status, retry_after=retry_after)
    return ApiError(
        masked(f"{told[:_LONGEST_MESSAGE]}..." if len(told) > _LONGEST_MESSAGE else told),
        status=reply.status,
        reason=reason,
        causes=causes,
        retry_after=retry_after,
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
