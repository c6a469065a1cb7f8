"""Network policies that would notice a handoff: what they refuse, and which labels are taken to avoid them."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import label_to_release, labels_to_withdraw
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.marks import WITHDRAWN
from kubectl_safe.model.policy import ForeignPolicy, NetworkPolicy, Peer, Policies, Policy
from kubectl_safe.model.selector import Labels, LabelSelector, Operator, Requirement
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    a_budget,
    a_cluster,
    a_pod,
    a_replica_set,
    a_service,
    an_intent,
    an_owner,
    decide,
    uid,
)
from tests.support.builders import told as decided

LABELS = {"app": "web", "tier": "front", HASH: "1"}
NAME = "kubernetes.io/metadata.name"
NOBODY = LabelSelector(match_labels={"app": "nobody"})
REMEDY = "; let its Services select it by a label that no policy looks at, or answer for it with --allow policy-change"
WOULD = "what the pod may reach, and what may reach it, would change while it finishes its requests"


def by(labels: Labels | None = None, *requirements: Requirement) -> LabelSelector:
    return LabelSelector(match_labels=labels or {}, match_expressions=requirements)


def a_requirement(key: str, operator: Operator, *values: str) -> Requirement:
    return Requirement(key=key, operator=operator, values=frozenset(values))


def a_policy(*rules: tuple[Peer, ...], subjects: LabelSelector = NOBODY, namespace: str = "shop") -> NetworkPolicy:
    return NetworkPolicy(namespace=namespace, name="db", subjects=subjects, rules=rules)


def a_peer(labels: Labels | None = None, *requirements: Requirement, of: LabelSelector | None = None) -> Peer:
    return Peer(pods=by(labels, *requirements), namespaces=of)


def a_foreign_policy(*keys: str, **changes: Any) -> ForeignPolicy:
    values: dict[str, Any] = {"namespace": "shop", "name": "db", "scope": "shop", **changes}
    return ForeignPolicy(kind="ciliumnetworkpolicies.cilium.io", keys=frozenset(keys), **values)


def under(*policies: Policy, unseen: tuple[str, ...] = (), services: tuple[Any, ...] = (), **others: Any) -> Snapshot:
    """Return a cluster with one pod that has two labels of its own, behind a Service that uses one or both."""
    selector = LabelSelector(match_labels=LABELS)
    return a_cluster(
        a_pod("web-1", labels=LABELS),
        without=[f"web-{number}" for number in range(2, 7)],
        policies=Policies(known=policies, unseen=frozenset(unseen)),
        services=services or (a_service(selector={"app": "web"}),),
        replica_sets={uid("web-5d4f8c7b9"): a_replica_set(selector=selector)},
        **others,
    )


def told(snapshot: Snapshot, **flags: Any) -> list[str]:
    """Return for which policies a plan of the pod is not begun."""
    found = blockers(an_intent(snapshot, "web-1", **flags), snapshot)
    return [its.why for its in found if its.reason == "policy-change"]


OFF = "networkpolicy shop/db looks at label app of pod shop/web-1, which its withdrawal takes off, and"
WEB, FRONT = {"app": "web"}, {"tier": "front"}

NOTICED = [
    pytest.param(a_policy(subjects=by(WEB)), f"{OFF} would no longer apply to it: {WOULD}", id="its subject"),
    pytest.param(
        a_policy(subjects=by({}, a_requirement("app", Operator.DOES_NOT_EXIST))),
        f"{OFF} would apply to it: {WOULD}",
        id="it would come under it",
    ),
    pytest.param(
        a_policy((a_peer(WEB),)), f"{OFF} would no longer name it as a peer: {WOULD}", id="a peer in its own namespace"
    ),
    pytest.param(
        a_policy((a_peer({}, a_requirement("app", Operator.NOT_IN, "web")),)),
        f"{OFF} would name it as a peer: {WOULD}",
        id="it would become a peer",
    ),
    pytest.param(
        a_policy((a_peer({}, a_requirement("app", Operator.IN, "web", "api")),)),
        f"{OFF} would no longer name it as a peer: {WOULD}",
        id="by an expression",
    ),
    pytest.param(
        a_policy((a_peer(WEB),), subjects=by(WEB)),
        f"{OFF} would no longer apply to it and no longer name it as a peer: {WOULD}",
        id="both at once",
    ),
    pytest.param(
        a_policy((a_peer(FRONT),), (a_peer(WEB),)),
        f"{OFF} would no longer name it as a peer: {WOULD}",
        id="each rule for itself",
    ),
    pytest.param(
        a_policy((a_peer(WEB, of=by(FRONT)),)),
        f"{OFF} may no longer name it as a peer: {WOULD.replace('would', 'may')}",
        id="a peer in namespaces whose labels nobody looks up",
    ),
    pytest.param(
        a_policy((a_peer(WEB, of=by({NAME: "shop", "team": "a"})),)),
        f"{OFF} may no longer name it as a peer: {WOULD.replace('would', 'may')}",
        id="by the namespace's name and more",
    ),
    pytest.param(
        a_policy((a_peer(WEB, of=by(FRONT)), a_peer(FRONT, of=by({"team": "a"})))),
        f"{OFF} may no longer name it as a peer: {WOULD.replace('would', 'may')}",
        id="of two that may be meant, one",
    ),
    pytest.param(
        a_policy((a_peer(WEB, of=by({NAME: "shop"})),)),
        f"{OFF} would no longer name it as a peer: {WOULD}",
        id="by the namespace's name",
    ),
    pytest.param(
        a_policy((a_peer(WEB, of=by()),)), f"{OFF} would no longer name it as a peer: {WOULD}", id="in any namespace"
    ),
    pytest.param(
        a_policy(subjects=by({}, a_requirement(WITHDRAWN, Operator.EXISTS))),
        f"networkpolicy shop/db looks at label {WITHDRAWN} of pod shop/web-1, which its withdrawal puts on, and would "
        f"apply to it: {WOULD}",
        id="one that is about withdrawn pods",
    ),
    pytest.param(
        a_policy(subjects=by(WEB, a_requirement(WITHDRAWN, Operator.DOES_NOT_EXIST))),
        f"networkpolicy shop/db looks at labels app and {WITHDRAWN} of pod shop/web-1, which its withdrawal changes, "
        f"and would no longer apply to it: {WOULD}",
        id="one that is about others",
    ),
    pytest.param(
        a_foreign_policy("app"),
        f"{OFF} what it takes the pod for then, can't be told here".replace(
            "networkpolicy", "ciliumnetworkpolicies.cilium.io"
        ),
        id="a policy of another kind",
    ),
    pytest.param(
        a_foreign_policy("app", namespace="", scope=None),
        f"{OFF} what it takes the pod for then, can't be told here".replace(
            "networkpolicy shop/", "ciliumnetworkpolicies.cilium.io "
        ),
        id="one of the cluster",
    ),
]


@pytest.mark.parametrize(("policy", "why"), NOTICED)
def test_what_a_policy_would_notice_is_refused_by_name(policy: Policy, why: str) -> None:
    assert told(under(policy)) == [why + REMEDY]
    assert told(under(policy), allow=frozenset({"policy-change"})) == []


ELSEWHERE = "other"

UNNOTICED = [
    pytest.param(a_policy(subjects=by()), id="all pods of the namespace"),
    pytest.param(a_policy(subjects=by(FRONT)), id="another label"),
    pytest.param(a_policy(subjects=by({"app": "api"})), id="other pods"),
    pytest.param(a_policy(subjects=by(WEB), namespace=ELSEWHERE), id="pods of another namespace"),
    pytest.param(a_policy((a_peer(WEB),), namespace=ELSEWHERE), id="peers in another namespace, its own"),
    pytest.param(a_policy((a_peer(),)), id="all pods as peers"),
    pytest.param(a_policy((a_peer(WEB, of=by({NAME: ELSEWHERE})),)), id="peers in a namespace of another name"),
    pytest.param(a_policy((a_peer(WEB), a_peer(FRONT))), id="a peer by another label of the same rule, too"),
    pytest.param(
        a_policy((a_peer(WEB), a_peer(FRONT, of=by({NAME: "shop"})))), id="that names its namespace by its name"
    ),
    pytest.param(a_policy((a_peer(FRONT), a_peer(WEB, of=by(FRONT)))), id="a peer by a sure and by an unsure one"),
    pytest.param(a_foreign_policy("tier"), id="another kind, about another label"),
    pytest.param(a_foreign_policy("app", scope=ELSEWHERE), id="another kind, about another namespace"),
]


@pytest.mark.parametrize("policy", UNNOTICED)
def test_what_no_policy_would_notice_is_begun(policy: Policy) -> None:
    assert told(under(policy)) == []


def test_of_a_policy_in_any_namespace() -> None:
    policy = a_policy((a_peer(WEB, of=by({NAME: "shop"})),), namespace=ELSEWHERE)
    assert [why.partition(" looks")[0] for why in told(under(policy))] == ["networkpolicy other/db"]


def test_a_second_rule_is_no_other_way_in() -> None:
    """A rule has its ports: what two rules allow is not the same."""
    assert told(under(a_policy((a_peer(WEB),), (a_peer(FRONT),)))) != []


def test_is_told_of_one_pod_of_a_workload() -> None:
    snapshot = a_cluster(policies=Policies(known=(a_policy(subjects=by(WEB)),)))
    found = blockers(an_intent(snapshot), snapshot)
    assert [its.reason for its in found] == ["policy-change"]


@pytest.mark.parametrize("step", ["terminating", "finished"])
def test_what_can_not_be_helped_any_more_is_not_refused(step: str) -> None:
    pod = a_pod("web-1", labels=LABELS)
    gone = {
        "terminating": replace(pod, is_terminating=True),
        "finished": replace(pod, phase="Failed"),
    }
    snapshot = a_cluster(gone[step], policies=Policies(known=(a_policy(subjects=by(WEB)),)))
    assert told(snapshot) == []


def test_is_told_of_a_pod_that_nobody_replaces() -> None:
    """It leaves its Services, too, if requests come by them."""
    snapshot = under(a_policy(subjects=by(WEB)))
    planned = replace(an_intent(snapshot, "web-1").pods[0], workload=None)
    intent = Intent(pods=(planned,))
    assert [its.reason for its in blockers(intent, snapshot)] == ["policy-change"]
    assert decided(next_actions(snapshot, intent)) == "blocked by policy-change"
    assert blockers(intent, replace(snapshot, endpoints=(), bindings=())) == []
    allowed = replace(intent, settings=Settings(allow=frozenset({"policy-change"})))
    assert blockers(allowed, snapshot) == []
    assert decided(next_actions(snapshot, allowed)) == "Withdraw"


def test_what_is_not_planned_is_not_refused() -> None:
    snapshot = a_cluster(policies=Policies(known=(a_policy(subjects=by(WEB)),)))
    assert blockers(an_intent(snapshot, "web-7"), snapshot) == []


def test_a_release_that_a_policy_would_notice_is_refused_by_name() -> None:
    """The Service uses the hash: the label that remains is one of the policy."""
    by_app_and_hash = (a_service(selector={"app": "web", HASH: "1"}),)
    snapshot = under(a_policy(subjects=by(FRONT)), services=by_app_and_hash)
    why = (
        f"networkpolicy shop/db looks at label tier of pod shop/web-1, which its release takes off, and would no "
        f"longer apply to it: {WOULD}; give it --max-surge 0, which releases none, or answer for it with --allow "
        "policy-change"
    )
    assert told(snapshot) == [why]
    assert told(snapshot, max_surge=0, max_unavailable=1) == []


def test_a_pod_that_is_released_loses_no_further_label_by_that() -> None:
    """Its controller has not let go of it yet."""
    released = replace(a_pod("web-1", released=True, labels=LABELS), labels=WEB | {HASH: "1"}, owners=(an_owner(),))
    selector = LabelSelector(match_labels=WEB | {HASH: "1"})
    policies = Policies(known=(a_policy(subjects=by(WEB)),))
    replica_sets = {uid("web-5d4f8c7b9"): a_replica_set(selector=selector)}
    by_hash = (a_service(selector={HASH: "1"}),)
    assert told(a_cluster(released, policies=policies, services=by_hash, replica_sets=replica_sets)) == []


def test_a_withdrawn_pod_that_a_service_selects_again_leaves_it_whoever_notices() -> None:
    again = a_pod("web-1", withdrawn=True, labels=LABELS)
    policies = Policies(known=(a_policy(subjects=by(FRONT)),))
    assert told(a_cluster(again, policies=policies, services=(a_service(selector=FRONT),))) == []


def test_kinds_that_can_not_be_listed() -> None:
    kind = "ciliumclusterwidenetworkpolicies.cilium.io"
    why = (
        f"the cluster has {kind}, which can't be listed: whether one of them looks at labels app and {WITHDRAWN} of "
        "pod shop/web-1, which its withdrawal changes, can't be told; have list and watch of them allowed (kubectl "
        f"auth can-i list {kind} -A), or answer for it with --allow policy-change"
    )
    assert told(under(unseen=(kind,))) == [why]
    assert told(under(unseen=(kind,)), allow=frozenset({"policy-change"})) == []


def test_a_pod_that_only_loses_its_hash_is_nothing_to_them() -> None:
    alone = under(unseen=("globalnetworkpolicies.crd.projectcalico.org",), services=(a_service(selector={"a": "b"}),))
    assert told(replace(alone, bindings=())) == []


BOTH = (a_service(selector={"app": "web", "tier": "front"}),)
APART = (a_service(selector={"app": "web", "tier": "front"}), a_service("b", selector={"app": "web", HASH: "1"}))

CHOSEN = [
    pytest.param(BOTH, [], [], {"app"}, id="the first by the alphabet"),
    pytest.param(BOTH, [a_policy((a_peer(WEB),))], [], {"tier"}, id="one that no policy looks at"),
    pytest.param(BOTH, [a_foreign_policy("app")], [], {"tier"}, id="nor one of another kind"),
    pytest.param(
        BOTH, [a_policy((a_peer(WEB),))], [a_budget(selector=WEB)], {"tier"}, id="though it stays under its budget"
    ),
    pytest.param(APART, [], [], {"app"}, id="one label rather than two"),
    pytest.param(APART, [a_policy(subjects=by(WEB))], [], {"tier", HASH}, id="two, where a policy looks at that one"),
    pytest.param(
        APART, [a_policy(subjects=by(WEB)), a_policy((a_peer(FRONT),))], [], {"app"}, id="one, where nothing avoids it"
    ),
    pytest.param(
        BOTH,
        [a_policy((a_peer(WEB),)), a_policy(subjects=by(WEB)), a_policy(subjects=by(FRONT))],
        [],
        {"tier"},
        id="that which fewer policies look at",
    ),
]


@pytest.mark.parametrize(("services", "policies", "budgets", "labels"), CHOSEN)
def test_drops_at_withdrawal(
    services: tuple[Any, ...], policies: list[Policy], budgets: list[Any], labels: set[str]
) -> None:
    snapshot = under(*policies, services=services, budgets=tuple(budgets))
    assert labels_to_withdraw(snapshot.pods[uid("web-1")], snapshot) == frozenset(labels)


RELEASED = [
    pytest.param([], HASH, id="the hash"),
    pytest.param([a_policy(subjects=by({HASH: "1"}))], "tier", id="another label, where a policy looks at the hash"),
    pytest.param([a_policy(subjects=by({HASH: "1"})), a_policy(subjects=by(FRONT))], HASH, id="the hash, if at both"),
]


@pytest.mark.parametrize(("policies", "label"), RELEASED)
def test_drops_at_release(policies: list[Policy], label: str) -> None:
    snapshot = under(*policies)
    assert label_to_release(snapshot.pods[uid("web-1")], LabelSelector(match_labels=LABELS), snapshot) == label


@pytest.mark.parametrize("flags", [{}, {"max_surge": 0, "max_unavailable": 1}], ids=["surge", "withdraw first"])
def test_a_policy_that_came_after_the_plan_keeps_pods_from_being_begun(flags: dict[str, Any]) -> None:
    snapshot = a_cluster(policies=Policies(known=(a_policy(subjects=by(WEB)),)))
    assert decided(decide(snapshot, "web-1", **flags)) == "blocked by policy-change"
    allowed = decided(decide(snapshot, "web-1", allow=frozenset({"policy-change"}), **flags))
    assert allowed == decided(decide(a_cluster(), "web-1", **flags))


def test_a_pod_that_is_released_goes_on_when_a_policy_comes() -> None:
    policies = Policies(known=(a_policy(subjects=by(WEB)),))
    released = a_pod("web-1", released=True)
    assert decided(decide(a_cluster(released, a_pod("web-7"), policies=policies), "web-1")) == "Withdraw"


def test_pods_that_differ_in_what_no_policy_looks_at_are_asked_about_once() -> None:
    policies = Policies(known=(a_policy(subjects=by(WEB)),))
    for number in range(9):
        assert policies.telling_apart("shop", {"app": "web", HASH: str(number)}, {HASH: str(number)}) == policies.known
    assert len(policies._answers) == 1
