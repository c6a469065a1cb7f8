"""What is watched, and what of it is known at one instant."""

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube.bindings import BINDING_APIS
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.kinds import (
    AUTO_MODE_BINDINGS,
    BINDINGS,
    BUDGETS,
    NETWORK_POLICIES,
    NODES,
    PODS,
    STATEFUL_SETS,
)
from kubectl_safe.model.policy import ForeignPolicy
from tests.kube.conftest import Serve
from tests.support.api_server import Answer, Asked, Cut, Feed, a_status
from tests.support.raw import a_list, a_raw_pod, an_event

CRD = Answer(body={"resources": [{"name": "targetgroupbindings"}]})


class Script:
    """An API server with empty lists, but for what a test puts in their place."""

    def __init__(
        self,
        *,
        bindings: Answer | None = None,
        groups: Answer | None = None,
        apis: Sequence[str] = ("elbv2.k8s.aws",),
        **lists: Any,
    ) -> None:
        served = [{"name": "apps"}, *({"name": api} for api in (apis if bindings else ()))]
        self.groups = groups or Answer(body={"groups": served})
        self.bindings = bindings or a_status(404, "NotFound")
        self.lists = lists
        self.feeds: dict[str, Feed] = {}

    def __call__(self, asked: Asked) -> Answer | Feed | Cut:
        if asked.path == "/apis":
            return self.groups
        if asked.path in BINDING_APIS.values():
            return self.bindings
        kind = asked.path.rpartition("/")[2]
        kind += "_of_auto_mode" if asked.path.startswith("/apis/eks.amazonaws.com/v1/") else ""
        if asked.is_watch:
            return self.feeds.setdefault(kind, Feed())
        found = self.lists.get(kind, a_list(version=1))
        return found if isinstance(found, Answer) else Answer(body=found)


def test_what_is_left_out_is_not_asked_for(serve: Serve) -> None:
    server, client = serve(Script(bindings=CRD, apis=("elbv2.k8s.aws", "cilium.io")))
    left_out = (BUDGETS, NETWORK_POLICIES, BINDINGS)
    with Cluster(client, namespace="team", signal=Signal(), without=left_out) as cluster:
        seen = cluster.observe()
    assert (seen.budgets, seen.bindings, seen.policies.known, seen.stale) == ((), (), (), frozenset())
    asked = {its.path.rpartition("/")[2] for its in server.asked if "/namespaces/" in its.path}
    assert asked == {"pods", "services", "endpointslices", "replicasets", "deployments"}
    assert not any("cilium" in its.path or "networkpolicies" in its.path for its in server.asked)


@pytest.mark.parametrize("also", [(), (BINDINGS, AUTO_MODE_BINDINGS)], ids=["whoever looks", "also who looks at them"])
def test_without_the_crd_there_are_no_bindings_and_none_are_asked_for(serve: Serve, also: Sequence[str]) -> None:
    server, client = serve(Script())
    with Cluster(client, namespace="team", signal=Signal(), also=also) as cluster:
        assert cluster.observe().bindings == ()
    assert {asked.path for asked in server.asked} == {
        "/apis",
        "/api/v1/namespaces/team/pods",
        "/api/v1/namespaces/team/services",
        "/apis/discovery.k8s.io/v1/namespaces/team/endpointslices",
        "/apis/apps/v1/namespaces/team/replicasets",
        "/apis/apps/v1/namespaces/team/deployments",
        "/apis/policy/v1/namespaces/team/poddisruptionbudgets",
        "/apis/networking.k8s.io/v1/networkpolicies",
    }


def test_with_the_crd_bindings_are_watched(serve: Serve) -> None:
    binding = {**a_raw_pod("web"), "spec": {"serviceRef": {"name": "web", "port": 80}}}
    _, client = serve(Script(bindings=CRD, targetgroupbindings=a_list(binding, version=1)))
    with Cluster(client, namespace=None, signal=Signal()) as cluster:
        assert [b.name for b in cluster.observe().bindings] == ["web"]


def test_bindings_of_both_apis_are_watched_where_both_are_served(serve: Serve) -> None:
    web, api = ({**a_raw_pod(name), "spec": {"serviceRef": {"name": name, "port": 80}}} for name in ("web", "api"))
    script = Script(
        bindings=CRD,
        apis=tuple(BINDING_APIS),
        targetgroupbindings=a_list(web, version=1),
        targetgroupbindings_of_auto_mode=a_list(api, version=1),
    )
    _, client = serve(script)
    with Cluster(client, namespace=None, signal=Signal()) as cluster:
        found = cluster.observe()
        assert [b.named for b in found.bindings] == [
            "targetgroupbinding.elbv2.k8s.aws/web",
            "targetgroupbinding.eks.amazonaws.com/api",
        ]
        assert cluster.observe() is found
        newer = {**api["metadata"], "resourceVersion": "9"}
        cluster.put(AUTO_MODE_BINDINGS, {"metadata": newer, "spec": {"serviceRef": {"name": "late", "port": 80}}})
        assert [b.service for b in cluster.observe().bindings] == ["web", "late"]


def test_bindings_of_auto_mode_are_watched_where_only_they_are_served(serve: Serve) -> None:
    binding = {**a_raw_pod("web"), "spec": {"serviceRef": {"name": "web", "port": 80}}}
    script = Script(
        bindings=CRD, apis=["eks.amazonaws.com"], targetgroupbindings_of_auto_mode=a_list(binding, version=1)
    )
    server, client = serve(script)
    with Cluster(client, namespace="team", signal=Signal()) as cluster:
        assert [b.api for b in cluster.observe().bindings] == ["eks.amazonaws.com"]
    asked = {its.path for its in server.asked if "targetgroupbindings" in its.path}
    assert asked == {"/apis/eks.amazonaws.com/v1/namespaces/team/targetgroupbindings"}


def test_another_api_of_that_group_is_no_binding(serve: Serve) -> None:
    _, client = serve(Script(bindings=Answer(body={"resources": [{"name": "ingressclassparams"}]})))
    with Cluster(client, namespace=None, signal=Signal()) as cluster:
        assert BINDINGS not in cluster._watchers


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(groups=Answer(status=404, body="404 page not found")), id="a proxy finds no groups"),
        pytest.param(Script(groups=Answer(body={"kind": "Hello"})), id="something else answers"),
        pytest.param(Script(bindings=Answer(status=404, body="404 page not found")), id="it is there, and not found"),
        pytest.param(Script(bindings=Answer(body={"kind": "Hello"})), id="it is there, and something else answers"),
    ],
)
def test_that_there_are_no_bindings_is_only_taken_from_an_api_server(serve: Serve, script: Script) -> None:
    _, client = serve(script)
    with pytest.raises(ApiError), Cluster(client, namespace=None, signal=Signal()):
        pass


def test_nodes_are_watched_in_the_whole_cluster_and_only_when_asked_for(serve: Serve) -> None:
    server, client = serve(Script(nodes=a_list({**a_raw_pod("node-a")}, version=1)))
    with Cluster(client, namespace="team", signal=Signal(), also=("nodes",)) as cluster:
        assert list(cluster.observe().nodes) == ["node-a"]
    assert f"/api/v1/{NODES}" in {asked.path for asked in server.asked}


def test_a_kind_that_turns_out_to_be_needed_is_watched_from_then_on(serve: Serve) -> None:
    server, client = serve(Script(nodes=a_list({**a_raw_pod("node-a")}, version=1)))
    with Cluster(client, namespace="team", signal=Signal()) as cluster:
        assert not cluster.observe().nodes
        cluster.watch_also(NODES)
        cluster.watch_also(NODES)
        assert list(cluster.observe().nodes) == ["node-a"]
    assert len([asked for asked in server.asked if asked.path == f"/api/v1/{NODES}" and not asked.is_watch]) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]


def test_without_the_right_to_a_kind_that_turns_out_to_be_needed_it_is_gone_without(serve: Serve) -> None:
    words = 'nodes is forbidden: User "me" cannot list resource "nodes"'
    _, client = serve(Script(nodes=a_status(403, "Forbidden", words)))
    with Cluster(client, namespace="team", signal=Signal()) as cluster:
        with pytest.raises(ApiError, match="nodes can't be listed and watched in the whole cluster: nodes is forb"):
            cluster.watch_also(NODES)
        assert (cluster.observe().nodes, cluster.observe().stale) == ({}, frozenset())


def test_workloads_of_all_kinds_are_told_together_and_the_same_until_one_changes(serve: Serve) -> None:
    lists: dict[str, Any] = {
        "deployments": a_list(a_raw_pod("web"), version=1),
        "statefulsets": a_list(a_raw_pod("db"), version=1),
    }
    script, signal = Script(**lists), Signal()
    _, client = serve(script)
    with Cluster(client, namespace=None, signal=signal, also=(STATEFUL_SETS,)) as cluster:
        before = cluster.observe()
        assert {its.kind: its.name for its in before.workloads.values()} == {"Deployment": "web", "StatefulSet": "db"}
        while signal.wait(0.05):
            pass
        assert cluster.observe() is before
        script.feeds[STATEFUL_SETS].send(an_event("DELETED", a_raw_pod("db", version=2)))
        assert signal.wait(5)
        assert {its.name for its in cluster.observe().workloads.values()} == {"web"}


def test_a_missing_right_ends_the_start_with_verb_resource_namespace_and_remedy(serve: Serve) -> None:
    words = 'endpointslices.discovery.k8s.io is forbidden: User "me" cannot list resource "endpointslices"'
    _, client = serve(Script(endpointslices=a_status(403, "Forbidden", words)))
    with pytest.raises(ApiError) as raised, Cluster(client, namespace="team", signal=Signal()):
        pass
    assert str(raised.value) == (
        f'endpointslices can\'t be listed and watched in namespace "team": {words}; '
        "have a role bound that allows list and watch on endpointslices"
    )
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]


INITIALIZING = a_status(429, "TooManyRequests", "storage is (re)initializing")
STARTING = a_status(503, "ServiceUnavailable", "apiserver is starting")
EXPIRED = a_status(410, "Expired", "too old resource version")


class Late(Script):
    """One whose first watches on pods are answered otherwise, by turns."""

    def __init__(self, *first: Answer | Feed | Cut) -> None:
        super().__init__()
        self.first = list(first)

    def __call__(self, asked: Asked) -> Answer | Feed | Cut:
        is_on_pods = asked.is_watch and asked.path.endswith("/pods")
        return self.first.pop(0) if is_on_pods and self.first else super().__call__(asked)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param([INITIALIZING, INITIALIZING], id="a kind whose storage is being made"),
        pytest.param([STARTING], id="a server that starts"),
        pytest.param([EXPIRED], id="a list that is too old"),
        pytest.param([Cut()], id="a connection that is cut"),
        pytest.param([Feed(b"garbled\n"), Feed(b"garbled\n")], id="a watch that can't be followed"),
    ],
)
def test_a_watch_that_can_not_be_had_yet_is_tried_again_at_the_start(
    serve: Serve, first: list[Answer | Feed | Cut]
) -> None:
    script, signal = Late(*first), Signal()
    _, client = serve(script)
    with Cluster(client, namespace=None, signal=signal) as cluster:
        while script.first or cluster.observe().stale:
            assert signal.wait(5)


def test_a_watch_that_can_not_be_had_for_long_ends_the_start_with_the_reason(serve: Serve) -> None:
    _, client = serve(Late(*[INITIALIZING] * 100))
    cluster = Cluster(client, namespace=None, signal=Signal(), start=timedelta(seconds=1))
    with pytest.raises(ApiError) as raised, cluster:
        pass
    assert str(raised.value) == "pods were not listed and watched within 1 s: storage is (re)initializing"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]


def test_the_same_is_observed_until_something_changes(serve: Serve) -> None:
    script, signal = Script(pods=a_list(a_raw_pod("a"), version=1)), Signal()
    _, client = serve(script)
    with Cluster(client, namespace=None, signal=signal) as cluster:
        before = cluster.observe()
        assert cluster.observe() is before
        while signal.wait(0.05):
            pass
        script.feeds[PODS].send(an_event("ADDED", a_raw_pod("b", version=2)))
        assert signal.wait(5)
        after = cluster.observe()
        assert set(after.pods) == {"uid-a", "uid-b"}
        assert set(before.pods) == {"uid-a"}
        assert after.services is before.services


def test_a_kind_without_a_connection_is_stale_and_says_why(serve: Serve) -> None:
    script, signal = Script(), Signal()
    _, client = serve(script)
    with Cluster(client, namespace=None, signal=signal) as cluster:
        assert cluster.observe().stale == frozenset()
        script.lists[PODS] = a_status(403, "Forbidden", "not any more")
        script.feeds[PODS].send(b"garbled\n")
        for _ in range(100):
            if "not any more" in cluster.troubles.get(PODS, ""):
                break
            signal.wait(0.1)
        assert cluster.observe().stale == {PODS}
        assert cluster.troubles == {PODS: "not any more"}


def test_what_a_write_returned_is_observed_at_once(serve: Serve) -> None:
    _, client = serve(Script(pods=a_list(a_raw_pod("a"), version=1)))
    with Cluster(client, namespace=None, signal=Signal()) as cluster:
        cluster.put(PODS, a_raw_pod("a", version=2, labels={"new": "1"}))
        assert cluster.observe().pods["uid-a"].labels == {"new": "1"}
        cluster.put(PODS, {"kind": "Status"})
        cluster.forget(PODS, "uid-a")
        assert cluster.observe().pods == {}


POLICY = {**a_raw_pod("db"), "spec": {"podSelector": {"matchLabels": {"app": "db"}}}}
POLICED = {**a_raw_pod("policed"), "spec": {"endpointSelector": {"matchLabels": {"app": "db"}}}}
CILIUM = {"ciliumnetworkpolicies": True, "ciliumclusterwidenetworkpolicies": False}
CNP, CCNP = (f"{plural}.cilium.io" for plural in CILIUM)
NO = a_status(403, "Forbidden", "no")


class Policed(Script):
    """One that has policies of other kinds, too; `denied` are paths that may not be listed."""

    def __init__(self, *denied: str, groups: Mapping[str, Mapping[str, bool]] = {"cilium.io": CILIUM}) -> None:
        super().__init__(networkpolicies=a_list(POLICY, version=1), ciliumnetworkpolicies=a_list(POLICED, version=1))
        self.denied = denied
        versions = {group: {"groupVersion": f"{group}/v2"} for group in groups}
        self.groups = Answer(body={"groups": [{"name": g, "versions": [its]} for g, its in versions.items()]})
        self.pages = {
            f"/apis/{group}/v2": Answer(
                body={"resources": [{"name": name, "namespaced": it} for name, it in plurals.items()]}
            )
            for group, plurals in groups.items()
        }

    def __call__(self, asked: Asked) -> Answer | Feed | Cut:
        if asked.path in self.pages:
            return self.pages[asked.path]
        return NO if asked.path in self.denied else super().__call__(asked)


EVERYWHERE = "/apis/networking.k8s.io/v1/networkpolicies"
CNPS, CCNPS = (f"/apis/cilium.io/v2/{plural}" for plural in CILIUM)

SEEN = [
    pytest.param("team", (), {NETWORK_POLICIES, CNP}, set(), set(), id="all of all namespaces"),
    pytest.param("team", (EVERYWHERE,), {NETWORK_POLICIES, CNP}, {NETWORK_POLICIES}, set(), id="those of one"),
    pytest.param("team", (CNPS,), {NETWORK_POLICIES, CNP}, {CNP}, set(), id="those of one, of another kind"),
    pytest.param(
        "team",
        (CNPS, CNPS.replace("v2", "v2/namespaces/team")),
        {NETWORK_POLICIES},
        set(),
        {CNP},
        id="none of another kind",
    ),
    pytest.param("team", (CCNPS,), {NETWORK_POLICIES, CNP}, set(), {CCNP}, id="none of a kind that is in no namespace"),
    pytest.param(None, (CNPS, CCNPS), {NETWORK_POLICIES}, set(), {CNP, CCNP}, id="none, by a command on all"),
]


@pytest.mark.parametrize(("namespace", "denied", "seen", "narrowed", "unseen"), SEEN)
def test_policies_that_may_be_seen(
    serve: Serve,
    *,
    namespace: str | None,
    denied: tuple[str, ...],
    seen: set[str],
    narrowed: set[str],
    unseen: set[str],
) -> None:
    _, client = serve(Policed(*denied))
    with Cluster(client, namespace=namespace, signal=Signal()) as cluster:
        found = cluster.observe()
        assert len(found.policies.known) == len(seen)
        assert {its.kind for its in found.policies.known if isinstance(its, ForeignPolicy)} == seen - {NETWORK_POLICIES}
        assert found.policies.unseen == unseen
        assert cluster.narrowed == narrowed
        assert found.stale == frozenset()
        assert cluster.observe().policies is found.policies
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]


def test_without_kubernetes_own_policies_nothing_starts(serve: Serve) -> None:
    _, client = serve(Policed(EVERYWHERE, EVERYWHERE.replace("v1", "v1/namespaces/team")))
    cluster = Cluster(client, namespace="team", signal=Signal())
    with pytest.raises(ApiError, match='networkpolicies can\'t be listed and watched in namespace "team"'), cluster:
        pass


def test_a_policy_that_is_not_listed_for_another_reason_ends_the_start(serve: Serve) -> None:
    script = Policed()
    script.lists["ciliumnetworkpolicies"] = a_status(500, "InternalError", "etcd is away")
    _, client = serve(script)
    with pytest.raises(ApiError, match="etcd is away"), Cluster(client, namespace="team", signal=Signal()):
        pass


CALICO = {"networkpolicies": True, "globalnetworkpolicies": False}

GROUPS = [
    pytest.param({"crd.projectcalico.org": CALICO}, "crd.projectcalico.org", id="Calico's custom resources"),
    pytest.param({"projectcalico.org": CALICO}, "projectcalico.org", id="Calico's own API"),
    pytest.param(
        {"projectcalico.org": CALICO, "crd.projectcalico.org": CALICO},
        "crd.projectcalico.org",
        id="both, with the same objects",
    ),
    pytest.param({"policy.networking.k8s.io": {"adminnetworkpolicies": False}}, "policy.networking.k8s.io", id="SIGs"),
    pytest.param({"networking.k8s.aws": {"clusternetworkpolicies": False}}, "networking.k8s.aws", id="EKS"),
    pytest.param({"cilium.io": {"ciliumendpoints": True}}, "", id="what is no policy"),
    pytest.param({"example.com": {"networkpolicies": True}}, "", id="a group that nobody knows"),
]


@pytest.mark.parametrize(("groups", "watched"), GROUPS)
def test_kinds_of_policies(serve: Serve, groups: Mapping[str, Mapping[str, bool]], watched: str) -> None:
    _, client = serve(Policed(groups=groups))
    with Cluster(client, namespace=None, signal=Signal()) as cluster:
        kinds = {kind.partition(".") for kind in cluster._watchers if "." in kind}
    assert {group for _, _, group in kinds} == ({watched} if watched else set())
