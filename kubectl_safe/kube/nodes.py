"""Which nodes a label selector chooses: the API server reads it, so it is understood as kubectl's is."""

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.listing import Requests, listed

_BAD_REQUEST = 400


def labelled(client: Requests, selector: str, *, page: int) -> tuple[str, ...]:
    """Return the names of the nodes whose labels meet a selector, in the API server's order, listed page by page.

    Raises:
        ApiError: it is no selector, which is told in kubectl's words, or nodes can't be listed.
    """
    try:
        nodes = listed(client, "/api/v1/nodes", {"labelSelector": selector}, page=page)
    except ApiError as error:
        if error.status != _BAD_REQUEST:
            raise
        words = f'Unable to find nodes that match label selector "{selector}": {error.message}'
        raise ApiError(words, status=error.status, reason=error.reason) from error
    return tuple(node["metadata"]["name"] for node in nodes)
