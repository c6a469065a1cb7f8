"""Plain lists, a page at a time, of what nobody watches. It must not decide anything."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.parse import Json, check_name

PAGE = 500
"""As kubectl asks for; a page of that size is no burden to the API server."""
MOST_OBJECTS = 300_000
"""Twice as many pods as a cluster may have (kubernetes.io, Considerations for large clusters)."""
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
    token, told = "", 0
    while True:
        answer = client.request("GET", path, query={**query, **({"continue": token} if token else {})})
        items = answer.get("items") or ()
        try:
            for item in items:
                check_name(item)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ApiError(f"the list at {path} can't be read: {error!r}", status=0) from error
        yield from items
        # A page may be empty, and not the last one, where a selector leaves all of it out.
        told += len(items) or 1
        token = (answer.get("metadata") or {}).get("continue") or ""
        if not token:
            return
        if told > MOST_OBJECTS:
            raise ApiError(f"the list at {path} has no end after {told} objects", status=0)
