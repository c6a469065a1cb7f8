"""Plain lists, a page at a time, of what nobody watches. It must not decide anything."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.parse import Json

PAGE = 500
"""As kubectl asks for; a page of that size is no burden to the API server."""
_GONE = 410


class Requests(Protocol):
    """The part of a client that is needed here."""

    def request(self, method: str, path: str, *, query: Any = None) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


def limit(size: int) -> dict[str, str]:
    """Return the part of a list's query that asks for pages of that size; one of no size has all, as with kubectl."""
    return {"limit": str(size)} if size > 0 else {}


def listed(client: Requests, path: str, query: Mapping[str, str] | None = None, *, page: int = PAGE) -> list[Json]:
    """Return all objects of a list, asked for in pages of that size.

    Raises:
        ApiError: it can't be had.
    """
    try:
        return list(_pages(client, path, {**(query or {}), **limit(page)}))
    except ApiError as error:
        if error.status != _GONE:
            raise
        # The list took longer than the server keeps its version: one page has all, whatever it costs.
        return list(_pages(client, path, dict(query or {})))


def _pages(client: Requests, path: str, query: Mapping[str, str]) -> Iterator[Json]:
    token = ""
    while True:
        answer = client.request("GET", path, query={**query, **({"continue": token} if token else {})})
        yield from answer.get("items") or ()
        token = (answer.get("metadata") or {}).get("continue") or ""
        if not token:
            return
