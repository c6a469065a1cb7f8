"""What became of each pod, one thing after another: by the watches of the rig, whoever caused it."""

from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox.endpoints import is_true
from kubectl_safe.sandbox.rig import Rig

Json = dict[str, Any]

HANDOFF = "kubectl-safe/handoff"
WITHDRAWN = "kubectl-safe/withdrawn"


@dataclass(kw_only=True)
class Course:
    """What one pod went through."""

    name: str
    app: str
    is_old: bool = True
    chain: list[str] = field(default_factory=list)
    """What it was in turn, to itself and to its controller."""
    listing: list[str] = field(default_factory=list)
    """Whether it was in an EndpointSlice, ready: from a watch of its own, so in no order with the rest."""
    _now: frozenset[str] = frozenset()

    @property
    def role(self) -> str:
        """Whose pod it is, and whether it was there before the first command: what it is on any cluster."""
        return f"{self.app} ({'old' if self.is_old else 'new'})"

    def seen(self, pod: Json) -> None:
        """Note what has changed; of one on its way out only that."""
        if "terminating" in self._now:
            return
        now = _what_it_is(pod)
        self.chain += [what for what in _WHATS if what in now - self._now]
        self.chain += [f"not {what}" for what in _WHATS if what in self._now - now]
        self._now = now


_WHATS = ("bound", "running", "ready", "released", "withdrawn", "controlled", "terminating")


def _what_it_is(pod: Json) -> frozenset[str]:
    metadata = pod["metadata"]
    held = {
        "bound": bool(pod["spec"].get("nodeName")),
        "running": pod.get("status", {}).get("phase") == "Running",
        "ready": is_true(pod, "Ready"),
        "released": HANDOFF in (metadata.get("annotations") or {}),
        "withdrawn": WITHDRAWN in (metadata.get("labels") or {}),
        "controlled": any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()),
        "terminating": "deletionTimestamp" in metadata,
    }
    return frozenset(what for what, holds in held.items() if holds)


class Chains:
    """Follows the pods of a namespace.

    Args:
        namespace: whose pods.
        rig: whose watches.
    """

    def __init__(self, *, namespace: str, rig: Rig) -> None:
        self.courses: dict[str, Course] = {}
        self._namespace = namespace
        self._slices = rig.controller.slices
        self._has_begun = False
        rig.controller.pods.handlers.append(self._pod_changed)
        rig.controller.slices.handlers.append(self._slice_changed)

    def begin(self) -> None:
        """Take every pod from now on for a new one."""
        self._has_begun = True

    def now(self, what: str, app: str = "") -> list[str]:
        """Return the names of the pods, of one application or of all, of which something holds and that are there."""
        return [
            its.name
            for its in self.courses.values()
            if app in ("", its.app) and what in its._now and "gone" not in its.chain
        ]

    def apps(self) -> set[str]:
        """Return the applications that had pods."""
        return {its.app for its in self.courses.values()}

    def app_of(self, name: str) -> str:
        """Return whose pod it is, or nothing where it is none."""
        return next((its.app for its in self.courses.values() if its.name == name), "")

    def role_of(self, name: str) -> str:
        """Return what a pod is on any cluster."""
        return next((its.role for its in self.courses.values() if its.name == name), name)

    def _pod_changed(self, old: Json | None, new: Json | None) -> None:
        subject = new or old
        if subject is None or subject["metadata"]["namespace"] != self._namespace:
            return
        uid = subject["metadata"]["uid"]
        if uid not in self.courses:
            app = (subject["metadata"].get("labels") or {}).get("app", "")
            self.courses[uid] = Course(name=subject["metadata"]["name"], app=app, is_old=not self._has_begun)
        if new is None:
            self.courses[uid].chain.append("gone")
        else:
            self.courses[uid].seen(new)

    def _slice_changed(self, old: Json | None, new: Json | None) -> None:
        subject = new or old
        if subject is None or subject["metadata"]["namespace"] != self._namespace:
            return
        listed: dict[str, bool] = {}
        for listing in self._slices.of(self._namespace):
            for endpoint in listing.get("endpoints") or ():
                uid = (endpoint.get("targetRef") or {}).get("uid", "")
                listed[uid] = (endpoint.get("conditions") or {}).get("ready") is not False
        for uid, course in self.courses.items():
            self._note(course, listed.get(uid))

    def _note(self, course: Course, ready: bool | None) -> None:
        was = course.listing[-1] if course.listing else "out"
        if ready and was == "out":
            course.listing.append("in")
        elif ready is None and was == "in":
            course.listing.append("out")
