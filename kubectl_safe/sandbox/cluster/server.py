"""The API server without its socket: takes a request, answers it. It does no I/O and never waits."""

from collections.abc import Callable

from kubectl_safe.sandbox.cluster import access, deletion, discovery, refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.deletion import DeleteOptions
from kubectl_safe.sandbox.cluster.eviction import evict
from kubectl_safe.sandbox.cluster.listing import Pages, selection_of
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.requests import Answer, Request, success
from kubectl_safe.sandbox.cluster.resources import Resource, Route
from kubectl_safe.sandbox.cluster.subresources import bind, finalize, object_of, patched, scale_of, scaled
from kubectl_safe.sandbox.cluster.tables import table
from kubectl_safe.sandbox.cluster.watching import Told, Watch

Audit = Callable[[Request, Route, Answer], None]
"""Is told each request to a resource with its answer."""


class Server:
    """Answers requests to a model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.audit: Audit = lambda _request, _route, _answer: None
        self._pages = Pages(model)

    def answer(self, request: Request) -> Answer:
        """Return the answer to anything but a watch; a refusal is an answer, too."""
        route = self.model.resources.route(request.path)
        try:
            answer = self._answer(request, route)
        except RefusalError as refusal:
            answer = Answer(status=refusal.code, body=refusal.status, retry_after=refusal.retry_after)
        if route is not None:
            self.audit(request, route, answer)
        return answer

    def watch(self, request: Request, tell: Callable[[Told], None]) -> Watch:
        """Begin a watch; `tell` gets what is known already before this returns.

        Raises:
            RefusalError: it may not be watched, or not from there.
        """
        route = self.model.resources.route(request.path)
        if route is None:
            raise refusals.no_such_path()
        try:
            watch = self._watch(request, route, tell)
        except RefusalError as refusal:
            # A version that is too old is told in the stream.
            self.audit(request, route, Answer(status=200 if refusal.code == 410 else refusal.code, body=refusal.status))
            raise
        self.audit(request, route, Answer(body=""))
        return watch

    def _watch(self, request: Request, route: Route, tell: Callable[[Told], None]) -> Watch:
        access.check(self.model, request.user, access.of_route(route, request.verb(route)))
        selection = selection_of(request, route)
        wants_initial = request.query.get("sendInitialEvents") == "true"
        version = request.query.get("resourceVersion", "")
        since = None if wants_initial or version in ("", "0") else int(version)

        def told(event: Told) -> None:
            tell(self._as_asked(event, selection.resource, request))

        watch = Watch(self.model.store, selection, told)
        watch.start(since)
        if wants_initial and request.query.get("allowWatchBookmarks") == "true":
            told(watch.bookmark(ends_initial=True))
        return watch

    def _as_asked(self, event: Told, resource: Resource, request: Request) -> Told:
        if not request.wants_table or event["type"] == "BOOKMARK":
            return event
        rows = table(resource, [event["object"]], {}, now=self.model.now())
        rows["metadata"] = {"resourceVersion": event["object"]["metadata"]["resourceVersion"]}
        return {"type": event["type"], "object": rows}

    def _answer(self, request: Request, route: Route | None) -> Answer:
        if route is None:
            found = discovery.answer(self.model.resources, request)
            if found is None:
                raise refusals.no_such_path()
            return found
        if route.resource is kinds.ACCESS_REVIEWS:
            return Answer(status=201, body=access.answer_review(self.model, request.user, request.body))
        access.check(self.model, request.user, access.of_route(route, request.verb(route)))
        handle = _SUBRESOURCES.get(route.subresource) or _handler(request.method, has_name=bool(route.name))
        if handle is None:
            raise RefusalError(
                405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
            )
        return handle(self, request, route)

    def _get(self, request: Request, route: Route) -> Answer:
        subject = self.model.get(route.resource, route.namespace, route.name)
        return Answer(body=self._shown(subject, route.resource, request))

    def _shown(self, subject: Json, resource: Resource, request: Request) -> Json:
        if not request.wants_table:
            return subject
        metadata = {"resourceVersion": subject["metadata"]["resourceVersion"]}
        return table(resource, [subject], metadata, now=self.model.now())

    def _list(self, request: Request, route: Route) -> Answer:
        resource = route.resource
        items, metadata = self._pages.page(request, route)
        if request.wants_table:
            return Answer(body=table(resource, items, metadata, now=self.model.now()))
        if not resource.is_custom:
            items = [{key: value for key, value in its.items() if key not in ("kind", "apiVersion")} for its in items]
        body = {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": items,
        }
        return Answer(body=body)

    def _create(self, request: Request, route: Route) -> Answer:
        resource, body = route.resource, object_of(request.body)
        if body.get("kind", resource.kind) != resource.kind:
            raise refusals.bad_request(
                f'{body["kind"]} in version "{resource.version}" cannot be handled as a {resource.kind}'
            )
        created = self.model.create(resource, route.namespace, body, is_dry_run=request.is_dry_run)
        return Answer(status=201, body=self._shown(created, resource, request) if not request.is_dry_run else created)

    def _replace(self, request: Request, route: Route) -> Answer:
        body = object_of(request.body)
        name = body.get("metadata", {}).get("name", route.name)
        if name != route.name:
            raise refusals.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({route.name})"
            )
        return self._change(request, route, lambda _before: body)

    def _patch(self, request: Request, route: Route) -> Answer:
        return self._change(request, route, lambda before: patched(before, request, route.resource))

    def _change(self, request: Request, route: Route, change: Callable[[Json], Json]) -> Answer:
        changed = self.model.update(
            route.resource,
            route.namespace,
            route.name,
            change,
            subresource=route.subresource,
            replaces=request.method == "PUT",
            is_dry_run=request.is_dry_run,
        )
        return Answer(body=self._shown(changed, route.resource, request))

    def _delete(self, request: Request, route: Route) -> Answer:
        options = DeleteOptions.parse(request.body, dict(request.query))
        deleted = deletion.delete(self.model, route.resource, route.namespace, route.name, options)
        if not deleted.is_gone and options.orphan_dependents is False:
            return Answer(status=202, body=deleted.object)
        if not deleted.is_gone or route.resource in (kinds.PODS, kinds.SERVICES):
            return Answer(body=deleted.object)
        metadata = deleted.object["metadata"]
        resource = route.resource
        details = {"name": metadata["name"], "kind": resource.plural, "uid": metadata["uid"]}
        return success({**details, **({"group": resource.group} if resource.group else {})})

    def _delete_all(self, request: Request, route: Route) -> Answer:
        options = DeleteOptions.parse(request.body, dict(request.query))
        selection = selection_of(request, route)
        found = [its for its in self.model.all(route.resource, route.namespace) if selection.has(its)]
        for subject in found:
            deletion.delete_if_there(self.model, route.resource, subject, options)
        resource = route.resource
        return Answer(
            body={
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": {"resourceVersion": str(self.model.store.version)},
                "items": found,
            }
        )

    def _evict(self, request: Request, route: Route) -> Answer:
        body = object_of(request.body)
        name = body.get("metadata", {}).get("name", "")
        if name and name != route.name:
            raise refusals.bad_request("name in URL does not match name in Eviction object")
        options = DeleteOptions.parse(body.get("deleteOptions"), dict(request.query))
        evict(self.model, route.namespace, route.name, options)
        return success(code=201)

    def _bind(self, request: Request, route: Route) -> Answer:
        node = object_of(request.body).get("target", {}).get("name", "")
        bind(self.model, route.namespace, route.name, node)
        return success(code=201)

    def _scale(self, request: Request, route: Route) -> Answer:
        if request.method == "GET":
            subject = self.model.get(route.resource, route.namespace, route.name)
        else:
            subject = self.model.update(
                route.resource,
                route.namespace,
                route.name,
                lambda before: scaled(before, request, route.resource),
                is_dry_run=request.is_dry_run,
            )
        return Answer(body=scale_of(subject))

    def _finalize(self, request: Request, route: Route) -> Answer:
        finalizers = object_of(request.body).get("spec", {}).get("finalizers") or []
        return Answer(body=finalize(self.model, route.name, finalizers))


_Handler = Callable[[Server, Request, Route], Answer]

# ruff: noqa: SLF001 - these are the server's own
_SUBRESOURCES: dict[str, _Handler] = {
    "eviction": Server._evict,
    "binding": Server._bind,
    "scale": Server._scale,
    "finalize": Server._finalize,
}
_OF_ONE: dict[str, _Handler] = {
    "GET": Server._get,
    "PUT": Server._replace,
    "PATCH": Server._patch,
    "DELETE": Server._delete,
}
_OF_ALL: dict[str, _Handler] = {"GET": Server._list, "POST": Server._create, "DELETE": Server._delete_all}


def _handler(method: str, *, has_name: bool) -> _Handler | None:
    return (_OF_ONE if has_name else _OF_ALL).get(method)
