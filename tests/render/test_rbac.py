"""Roles are manifests that say of each rule whether it can be done without; the IAM policy is JSON."""

import json

import yaml  # type: ignore[import-untyped]

from kubectl_safe.decide.roles import Role, Rule
from kubectl_safe.render.rbac import Subject, manifests, policy

PODS = Rule(groups=("",), resources=("pods", "pods/eviction"), verbs=("get", "patch"))
EVENTS = Rule(groups=("",), resources=("events",), verbs=("list",), lost="there are no words")
NODES = Rule(groups=("a.example", "b.example"), resources=("things",), verbs=("list",), lost="there are no words")
OWN = Role(namespace="shop", rules=(PODS, EVENTS, NODES))
OTHERS = Role(namespace=None, rules=(EVENTS,))
ALICE = Subject(kind="User", name="alice")
LABELS = {"app.kubernetes.io/name": "kubectl-safe"}
BOT = Subject(kind="ServiceAccount", name="bot", namespace="ops")


def told(*found: Role, scope: str = "shop", name: str = "safe", subjects: tuple[Subject, ...] = ()) -> str:
    return manifests(found, name=name, subjects=subjects, about="What it is for.", scope=scope)


def test_each_rule_that_can_be_done_without_is_marked_with_what_is_lost() -> None:
    assert told(OWN).splitlines() == [
        "# What it is for.",
        "# Nobody has them yet: with --user, --group or --serviceaccount their bindings are printed, too.",
        "apiVersion: rbac.authorization.k8s.io/v1",
        "kind: Role",
        "metadata:",
        '  name: "safe"',
        '  namespace: "shop"',
        "  labels: {app.kubernetes.io/name: kubectl-safe}",
        "rules:",
        '- apiGroups: [""]',
        "  resources: [pods, pods/eviction]",
        "  verbs: [get, patch]",
        "# Optional. Without it, there are no words.",
        '- apiGroups: [""]',
        "  resources: [events]",
        "  verbs: [list]",
        "- apiGroups: [a.example, b.example]",
        "  resources: [things]",
        "  verbs: [list]",
    ]


def test_who_is_named_is_bound_to_each_role() -> None:
    text = told(OWN, OTHERS, subjects=(ALICE, BOT))
    assert "Nobody has them" not in text
    assert "# The account has to be there: kubectl create serviceaccount bot -n ops\n" in text
    assert text.count("Optional as a whole") == 1
    own, binding, others, of_others = yaml.safe_load_all(text)
    group = "rbac.authorization.k8s.io"
    assert binding == {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "safe", "namespace": "shop", "labels": LABELS},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "safe"},
        "subjects": [
            {"kind": "User", "name": "alice", "apiGroup": group},
            {"kind": "ServiceAccount", "name": "bot", "namespace": "ops"},
        ],
    }
    assert (own["kind"], others["kind"], of_others["kind"]) == ("Role", "ClusterRole", "ClusterRoleBinding")
    assert others["metadata"] == of_others["metadata"] == {"name": "safe-shop", "labels": LABELS}
    assert of_others["roleRef"] == {"apiGroup": group, "kind": "ClusterRole", "name": "safe-shop"}


def test_what_one_namespace_needs_in_another_keeps_away_from_the_role_of_that_one() -> None:
    elsewhere = Role(namespace="kube-system", rules=(EVENTS,))
    own, others = yaml.safe_load_all(told(elsewhere, OWN))
    assert (own["metadata"]["name"], others["metadata"]["name"]) == ("safe", "safe-shop")
    [its] = yaml.safe_load_all(told(elsewhere, scope="kube-system"))
    assert its["metadata"]["name"] == "safe"


def test_a_role_for_the_whole_cluster_has_the_name_itself() -> None:
    role, binding = yaml.safe_load_all(told(OTHERS, scope="", subjects=(ALICE,)))
    assert role["metadata"] == binding["metadata"] == {"name": "safe", "labels": LABELS}


def test_a_name_is_a_name_whatever_yaml_would_take_it_for() -> None:
    odd = ("yes", "12", 'a "b": c', "# d", "arn:aws:iam::1:user/é")
    subjects = tuple(Subject(kind="User", name=name) for name in odd)
    role, binding = yaml.safe_load_all(
        told(Role(namespace="1e3", rules=(PODS,)), scope="1e3", name="no", subjects=subjects)
    )
    assert role["metadata"] == {"name": "no", "namespace": "1e3", "labels": LABELS}
    assert tuple(its["name"] for its in binding["subjects"]) == odd


def test_the_policy_of_aws_allows_to_describe_and_nothing_else() -> None:
    found = json.loads(policy([]))
    assert found["Version"] == "2012-10-17"
    assert {(its["Effect"], its["Resource"]) for its in found["Statement"]} == {("Allow", "*")}
    actions = [action for its in found["Statement"] for action in its["Action"]]
    assert all(action.startswith("elasticloadbalancing:Describe") for action in actions)


def test_only_roles_that_are_named_may_be_assumed() -> None:
    arn = "arn:aws:iam::210987654321:role/targets"
    assert json.loads(policy([arn]))["Statement"][-1] == {
        "Sid": "AssumeRoleOfBindings",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": [arn],
    }
