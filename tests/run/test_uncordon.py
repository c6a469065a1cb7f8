"""`uncordon`: what a drain did to nodes is taken back, and nothing that somebody else did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import CORDONED, EXCLUDED
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.run.terms import DryRun
from kubectl_safe.run.uncordon import uncordon
from tests.run.world import Heard
from tests.support.builders import NOW

if TYPE_CHECKING:
    from kubectl_safe.kube.client import Client


@dataclass
class Nodes:
    """The part of an API server that has nodes."""

    known: dict[str, dict[str, Any]]
    conflicts: int = 0
    written: list[Mapping[str, Any]] = field(default_factory=list)

    def request(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        if name not in self.known:
            raise ApiError("not found", status=404, reason="NotFound")
        if method == "PATCH":
            if self.conflicts:
                self.conflicts -= 1
                raise ApiError("changed", status=409, reason="Conflict")
            self.written.append(sent["body"])
        return self.known[name]


def a_node(name: str = "node-1", *, cordoned: str = "", excluded: str = "") -> dict[str, dict[str, Any]]:
    """Return a node, cordoned or excluded by `us` or `others`."""
    annotations = {key: "now" for key, who in ((CORDONED, cordoned), (EXCLUDED, excluded)) if who == "us"}
    labels = {EXCLUDE_LABEL: "true"} if excluded else {}
    metadata = {"name": name, "resourceVersion": "7", "labels": labels, "annotations": annotations}
    return {name: {"metadata": metadata, "spec": {"unschedulable": True} if cordoned else {}}}


def taken_back(nodes: Nodes, *names: str, dry_run: DryRun = DryRun.NONE) -> list[str]:
    """Uncordon nodes, and return what is said."""
    heard = Heard()
    uncordon(names or ("node-1",), cast("Client", nodes), heard, now=lambda: NOW, dry_run=dry_run)
    return heard.lines


UNCORDON = {
    "metadata": {"resourceVersion": "7", "annotations": {CORDONED: None}},
    "spec": {"unschedulable": None},
}
INCLUDE = {"metadata": {"resourceVersion": "7", "labels": {EXCLUDE_LABEL: None}, "annotations": {EXCLUDED: None}}}
INCLUDED = "node/node-1 included again: load balancers may send it requests"


@pytest.mark.parametrize(
    ("cordoned", "excluded", "written", "lines"),
    [
        pytest.param("us", "", [UNCORDON], ["node/node-1 uncordoned"], id="our cordon"),
        pytest.param("us", "us", [INCLUDE, UNCORDON], [INCLUDED, "node/node-1 uncordoned"], id="both are ours"),
        pytest.param("us", "others", [UNCORDON], ["node/node-1 uncordoned"], id="somebody else excluded it"),
        pytest.param("", "us", [INCLUDE], [INCLUDED, "node/node-1 already uncordoned"], id="uncordoned meanwhile"),
        pytest.param(
            "others",
            "us",
            [INCLUDE],
            [INCLUDED, "node/node-1 stays cordoned, which is somebody else's"],
            id="somebody else cordoned it",
        ),
        pytest.param("", "", [], ["node/node-1 already uncordoned"], id="nothing"),
    ],
)
def test_only_what_is_ours(cordoned: str, excluded: str, written: list[object], lines: list[str]) -> None:
    nodes = Nodes(a_node(cordoned=cordoned, excluded=excluded))
    assert taken_back(nodes) == lines
    assert nodes.written == written


def test_a_cordon_of_somebody_else_alone_is_refused_before_any_write() -> None:
    nodes = Nodes(a_node("node-1", cordoned="us", excluded="us") | a_node("node-2", cordoned="others"))
    with pytest.raises(KubectlSafeError, match=r"^node/node-2 was not cordoned by kubectl safe, nothing was changed"):
        taken_back(nodes, "node-1", "node-2")
    assert nodes.written == []


def test_a_node_that_changes_meanwhile_is_looked_at_again() -> None:
    nodes = Nodes(a_node(cordoned="us", excluded="us"), conflicts=2)
    taken_back(nodes)
    assert nodes.written == [INCLUDE, UNCORDON]
    busy = Nodes(a_node(cordoned="us"), conflicts=99)
    with pytest.raises(KubectlSafeError, match="changes too often to be written to; run the same command again"):
        taken_back(busy)


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    nodes = Nodes(a_node(cordoned="us", excluded="us"))
    lines = taken_back(nodes, dry_run=DryRun.CLIENT)
    assert lines == [f"{INCLUDED} (dry run)", "node/node-1 uncordoned (dry run)"]
    assert nodes.written == []
