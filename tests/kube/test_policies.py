"""What is read from network policies, and what is found in those of other kinds."""

from typing import Any

import pytest

from kubectl_safe.kube.policies import foreign_policy, network_policy
from kubectl_safe.model.policy import Peer
from kubectl_safe.model.selector import LabelSelector, Operator, Requirement

META = {"namespace": "shop", "name": "db", "uid": "u", "resourceVersion": "1"}
CNP = "ciliumnetworkpolicies.cilium.io"


def test_a_network_policy() -> None:
    team = {"namespaceSelector": {"matchLabels": {"team": "a"}}}
    expression = {"key": "tier", "operator": "In", "values": ["front"]}
    spec = {
        "podSelector": {"matchLabels": {"app": "db"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]},
            {"ports": [{"port": 53}]},
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        ],
        "egress": [{"to": [{**team, "podSelector": {"matchExpressions": [expression]}}, team]}, {"to": []}],
    }
    policy = network_policy({"metadata": META, "spec": spec})
    in_front = Requirement(key="tier", operator=Operator.IN, values=frozenset({"front"}))
    of_team = LabelSelector(match_labels={"team": "a"})
    assert policy.subject == "networkpolicy shop/db"
    assert policy.subjects == LabelSelector(match_labels={"app": "db"})
    assert policy.rules == (
        (Peer(pods=LabelSelector(match_labels={"app": "web"})),),
        (
            Peer(pods=LabelSelector(match_labels={}, match_expressions=(in_front,)), namespaces=of_team),
            Peer(pods=LabelSelector(match_labels={}), namespaces=of_team),
        ),
    )
    assert policy.keys == {"app", "tier"}


@pytest.mark.parametrize("spec", [{}, {"podSelector": None}, {"podSelector": {}}])
def test_a_policy_without_a_selector_applies_to_all_pods_of_its_namespace(spec: dict[str, Any]) -> None:
    policy = network_policy({"metadata": META, "spec": spec})
    assert policy.rules == ()
    assert policy.subjects.matches({})


CILIUM = {
    "description": "app",
    "endpointSelector": {"matchLabels": {"k8s:app": "db", "any:tier": "back"}},
    "ingress": [
        {
            "fromEndpoints": [{"matchExpressions": [{"key": "k8s:role", "operator": "Exists"}]}],
            "toPorts": [{"ports": [{"port": "80"}], "rules": {"http": [{"method": "GET", "path": "/version"}]}}],
        }
    ],
    "egressDeny": [{"toEndpoints": [{"matchLabels": {"app.kubernetes.io/name": "web"}}]}],
}
CALICO = {
    "selector": "app == 'web front' && has(tier)",
    "serviceAccountSelector": "team == 'a'",
    "types": ["Ingress"],
    "ingress": [
        {
            "action": "Allow",
            "source": {"selector": 'role in { "x", "y" }', "notSelector": "!has(app.kubernetes.io/part-of)"},
            "destination": {"ports": [80]},
        }
    ],
}
ADMIN = {
    "subject": {"namespaces": {"matchLabels": {"team": "a"}}},
    "ingress": [
        {
            "name": "app",
            "from": [
                {
                    "pods": {
                        "namespaceSelector": {"matchLabels": {"team": "a"}},
                        "podSelector": {"matchLabels": {"role": "x"}},
                    }
                }
            ],
        }
    ],
}

KEYS = [
    pytest.param({"spec": CILIUM}, {"app", "tier", "role", "app.kubernetes.io/name"}, id="Cilium"),
    pytest.param({"specs": [CILIUM]}, {"app", "tier", "role", "app.kubernetes.io/name"}, id="several of Cilium's"),
    pytest.param({"spec": CALICO}, {"app", "tier", "role", "app.kubernetes.io/part-of"}, id="Calico"),
    pytest.param({"spec": {"selector": "all()"}}, set(), id="Calico's for all"),
    pytest.param({"spec": ADMIN}, {"role"}, id="an AdminNetworkPolicy"),
    pytest.param({"spec": {"endpointSelector": {}}}, set(), id="Cilium's for all"),
    pytest.param({"spec": {"endpointSelector": {"matchLabels": None}}}, set(), id="an empty field"),
    pytest.param({}, set(), id="nothing"),
]
OPERATORS = {"has", "in", "all", "k8s", "any"}


@pytest.mark.parametrize(("raw", "keys"), KEYS)
def test_labels_that_a_policy_of_another_kind_looks_at(raw: dict[str, Any], keys: set[str]) -> None:
    assert foreign_policy(CNP, {"metadata": META, **raw}).keys - OPERATORS == keys


SCOPES = [
    pytest.param(META, CILIUM, "shop", id="its own"),
    pytest.param({**META, "namespace": ""}, CILIUM, None, id="any, of one of the cluster"),
    pytest.param({"name": "db"}, CILIUM, None, id="any, of one that knows none"),
    pytest.param(
        META,
        {"ingress": [{"fromEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "other"}}]}]},
        None,
        id="any, where Cilium's names others",
    ),
    pytest.param(
        META,
        {"egress": [{"toEndpoints": [{"matchLabels": {"io.cilium.k8s.namespace.labels.team": "a"}}]}]},
        None,
        id="any, where Cilium's names others by their labels",
    ),
    pytest.param(
        META, {"ingress": [{"source": {"namespaceSelector": "all()"}}]}, None, id="any, where Calico's names others"
    ),
    pytest.param(META, CALICO, "shop", id="its own, where Calico's names none"),
]


@pytest.mark.parametrize(("meta", "spec", "scope"), SCOPES)
def test_the_namespaces_whose_pods_it_may_mean(meta: dict[str, Any], spec: dict[str, Any], scope: str | None) -> None:
    assert foreign_policy(CNP, {"metadata": meta, "spec": spec}).scope == scope


@pytest.mark.parametrize(("meta", "subject"), [(META, f"{CNP} shop/db"), ({"name": "db"}, f"{CNP} db")])
def test_is_named_as_kubectl_takes_it(meta: dict[str, Any], subject: str) -> None:
    assert foreign_policy(CNP, {"metadata": meta}).subject == subject
