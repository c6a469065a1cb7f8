"""Requests to the API server as exchanges, for whoever wants to see them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.model.trace import Exchange

_FAILED = 400


def exchange(
    asked: str, headers: Mapping[str, str], body: bytes | None, came: Any, *, took: timedelta, has_body: bool
) -> Exchange:
    """Return an exchange.

    Args:
        asked: method and URL.
        headers: of the request.
        body: of the request.
        came: a response of urllib3, or the error that came instead.
        took: until then.
        has_body: whether the response is read; the body of a watch comes later, that of a refused one is its refusal.
    """
    if isinstance(came, ApiError):
        return Exchange(asked=asked, answered=f"failed: {came}", took=took, asked_headers=headers, asked_body=body)
    return Exchange(
        asked=asked,
        answered=f"{came.status} {came.reason or ''}".rstrip(),
        took=took,
        asked_headers=headers,
        asked_body=body,
        answered_headers=came.headers,
        answered_body=came.data if has_body or came.status >= _FAILED else None,
    )
