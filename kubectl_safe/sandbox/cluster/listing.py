"""Lists page by page, and what requests select."""

import base64
import json

from kubectl_safe.sandbox.cluster import refusals, selectors
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.requests import Request
from kubectl_safe.sandbox.cluster.resources import Route
from kubectl_safe.sandbox.cluster.watching import Selection


class Pages:
    """Lists, of which it keeps the rest where only a page was asked for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rest: dict[str, list[Json]] = {}

    def page(self, request: Request, route: Route) -> tuple[list[Json], Json]:
        """Return one page of a list and the list's metadata; all pages tell of the version of the first.

        Raises:
            RefusalError: the page is none, or of a version that is forgotten.
        """
        limit = int(request.query.get("limit") or 0)
        token = request.query.get("continue", "")
        if token:
            version, items = self._continued(token)
        else:
            version = str(self._model.store.version)
            selection = selection_of(request, route)
            items = [its for its in self._model.all(route.resource, route.namespace) if selection.has(its)]
        metadata: Json = {"resourceVersion": version}
        if limit and len(items) > limit:
            rest = items[limit:]
            items = items[:limit]
            next_token = base64.urlsafe_b64encode(
                json.dumps({"v": "meta.k8s.io/v1", "rv": int(version), "start": len(self._rest)}).encode()
            ).decode()
            self._rest[next_token] = rest
            metadata |= {"continue": next_token, "remainingItemCount": len(rest)}
        return items, metadata

    def _continued(self, token: str) -> tuple[str, list[Json]]:
        items = self._rest.get(token)
        if items is None:
            raise refusals.bad_request("continue key is not valid: unable to decode")
        version = json.loads(base64.urlsafe_b64decode(token))["rv"]
        if version < self._model.store.compacted:
            raise refusals.expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter, or use the continue token in this response to retrieve the "
                "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                "objects that were created, modified, or deleted between the time the first chunk was returned and "
                "now may show up in the list."
            )
        return str(version), items


def selection_of(request: Request, route: Route) -> Selection:
    """Return what a request is about.

    Raises:
        RefusalError: a selector can't be read.
    """
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    if route.name:
        fields = ",".join(filter(None, [fields, f"metadata.name={route.name}"]))
    return Selection(
        resource=route.resource,
        namespace=route.namespace,
        labels=selectors.parse_labels(labels) if labels else None,
        fields=selectors.parse_fields(fields, route.resource.plural) if fields else None,
    )
