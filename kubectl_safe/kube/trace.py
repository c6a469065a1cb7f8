"""Requests to the API server as exchanges, for whoever wants to see them."""

from collections.abc import Mapping
from datetime import timedelta

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.session import Reply
from kubectl_safe.model.trace import Exchange


def exchange(
    asked: str, headers: Mapping[str, str], body: bytes | None, came: Reply | ApiError, *, took: timedelta
) -> Exchange:
    """Return an exchange.

    Args:
        asked: method and URL.
        headers: of the request.
        body: of the request.
        came: the answer, or the error that came instead; a watch's body comes later.
        took: until then.
    """
    if isinstance(came, ApiError):
        return Exchange(
            asked=asked, answered=f"failed: {came}", took=took, asked_headers=dict(headers), asked_body=body
        )
    return Exchange(
        asked=asked,
        answered=f"{came.status} {came.reason}".rstrip(),
        took=took,
        asked_headers=dict(headers),
        asked_body=body,
        answered_headers=came.headers,
        answered_body=came.data,
    )
