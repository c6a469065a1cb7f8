"""A request to the API server, whichever door it came through, and the answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.resources import Route

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()


ADMIN = User(name="admin", groups=("system:masters",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"
    accept: str = "application/json"
    user: User = ADMIN

    @property
    def is_watch(self) -> bool:
        """Whether it asks for changes."""
        return self.method == "GET" and self.query.get("watch", "false") in ("true", "1")

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be changed."""
        return bool(self.query.get("dryRun"))

    @property
    def wants_table(self) -> bool:
        """Whether it asks for rows to print."""
        return "as=Table" in self.accept

    def verb(self, route: Route) -> str:
        """Return what it asks to do, as access rules name it."""
        if self.method == "GET":
            return "watch" if self.is_watch else "get" if route.name else "list"
        if self.method == "DELETE":
            return "delete" if route.name else "deletecollection"
        return _VERBS.get(self.method, self.method.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer; a body that is text is sent as such."""

    status: int = 200
    body: Json | str
    retry_after: int | None = None


def success(details: Json | None = None, *, code: int = 200) -> Answer:
    """Return the answer that tells of success and nothing else."""
    body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        body["details"] = details
    if code == 201:
        body["code"] = code
    return Answer(status=code, body=body)
