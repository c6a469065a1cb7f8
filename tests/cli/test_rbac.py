"""`kubectl safe rbac`: what it takes, and what it refuses; it asks no cluster."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.cli.conftest import CommandLine


@pytest.fixture(autouse=True)
def kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A context whose namespace is `shop`, of a cluster that nobody answers for."""
    context = {"name": "here", "context": {"cluster": "c", "user": "me", "namespace": "shop"}}
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    users = [{"name": "me", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/none"}}}]
    file = tmp_path / "kubeconfig"
    whole = {"current-context": "here", "contexts": [context], "clusters": [cluster], "users": users}
    file.write_text(json.dumps(whole), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))


def documents(safe: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    ended = safe("rbac", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return list(yaml.safe_load_all(ended.out))


def names(found: list[dict[str, Any]]) -> list[str]:
    return ["/".join(filter(None, [d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]])) for d in found]


LEASES_OF_NODES = "Role/kube-node-lease/kubectl-safe-kube-system"
IN_SHOP = [
    "Role/shop/kubectl-safe",
    "Role/kube-node-lease/kubectl-safe-shop",
    "Role/kube-system/kubectl-safe-shop",
    "ClusterRole/kubectl-safe-shop",
]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), IN_SHOP),
        (("-n", ""), IN_SHOP),
        (("-n", "db", "--for", "restart"), ["Role/db/kubectl-safe", "ClusterRole/kubectl-safe-db"]),
        (("-n", "kube-system", "--for", "status"), ["Role/kube-system/kubectl-safe", LEASES_OF_NODES]),
        (("--cluster", "--for", "status,rollout-status,check"), ["ClusterRole/kubectl-safe"]),
        (("-n", "db", "--required-only"), ["Role/db/kubectl-safe"]),
        (("--cluster",), ["ClusterRole/kubectl-safe"]),
        (("--cluster=true", "--required-only=false"), ["ClusterRole/kubectl-safe"]),
        (("--cluster", "--user", "al", "--name", "x"), ["ClusterRole/x", "ClusterRoleBinding/x"]),
        (("-n=db", "--group", "g", "--required-only"), ["Role/db/kubectl-safe", "RoleBinding/db/kubectl-safe"]),
        (("-n", "db", "--for", "abort"), ["Role/db/kubectl-safe"]),
    ],
)
def test_what_is_printed_is_for_a_namespace_or_for_the_cluster(
    safe: CommandLine, arguments: tuple[str, ...], expected: list[str]
) -> None:
    assert names(documents(safe, *arguments)) == expected


def test_the_whole_cluster_s_roles_need_no_kubeconfig(
    safe: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for arguments in (["--cluster"], ["-n", "db"], ["-o", "iam"]):
        assert safe("rbac", *arguments).code == 0


def test_commands_are_chosen_one_by_one(safe: CommandLine) -> None:
    [role] = documents(safe, "--cluster", "--for", "uncordon")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]}]
    both = safe("rbac", "--cluster", "--for", "uncordon,restart").out
    assert both == safe("rbac", "--cluster", "--for", "restart", "--for", "uncordon").out
    assert both.startswith("# What kubectl safe rollout restart and uncordon may do in all namespaces.")


def test_who_only_looks_may_write_nothing(safe: CommandLine) -> None:
    for where in (["--cluster"], ["-n", "db"]):
        found = documents(safe, *where, "--for", "status,rollout-status,check")
        assert {verb for role in found for rule in role["rules"] for verb in rule["verbs"]} <= {"get", "list", "watch"}


def test_who_may_delete_pods_is_said_so(safe: CommandLine) -> None:
    def verbs(*flags: str) -> dict[str, set[str]]:
        [role] = documents(safe, "--cluster", "--for", "drain", *flags)
        found: dict[str, set[str]] = {}
        for rule in role["rules"]:
            for resource in rule["resources"]:
                found.setdefault(resource, set()).update(rule["verbs"])
        return found

    without, with_it = verbs(), verbs("--disable-eviction")
    assert with_it.pop("pods") - without.pop("pods") == {"delete"}
    assert with_it == without
    refused = safe("rbac", "-n", "shop", "--disable-eviction")
    assert (refused.code, refused.out) == (2, "")
    assert "--disable-eviction is for drains" in refused.err


def test_each_subject_is_bound(safe: CommandLine) -> None:
    found = documents(
        safe, "--cluster", "--user", "a", "--user", "b", "--group", "c", "--serviceaccount", "ops:d", "--for", "drain"
    )
    subjects = [(its["kind"], its.get("namespace"), its["name"]) for its in found[-1]["subjects"]]
    assert subjects == [("User", None, "a"), ("User", None, "b"), ("Group", None, "c"), ("ServiceAccount", "ops", "d")]


@pytest.mark.parametrize("flag", [["-o", "iam"], ["-oiam"], ["-o=iam"], ["--output=iam"]])
def test_the_iam_policy_is_json(safe: CommandLine, flag: list[str]) -> None:
    ended = safe("rbac", *flag, "--assume-role", "arn:aws:iam::1:role/a")
    assert json.loads(ended.out)["Statement"][-1]["Resource"] == ["arn:aws:iam::1:role/a"]


KNOWN = ("drain", "restart", "abort", "uncordon", "rollout-status", "status", "check")
REFUSED = [
    (["-o", "toml"], 'unable to match a printer suitable for the output format "toml", allowed formats are: yaml,iam'),
    (["--assume-role", "x"], "--assume-role is for the policy of -o iam"),
    (["--cluster", "-n", "shop"], "--cluster is for all namespaces: leave out --namespace, or --cluster"),
    (["--for", "drain"], "--for drain is about nodes, which are in no namespace: --cluster is for all of them"),
    (
        ["--for", "plan"],
        f"invalid argument for \"--for\" flag: 'plan' is not one of {', '.join(KNOWN)}",
    ),
    (["--serviceaccount", "bot"], "serviceaccount must be <namespace>:<name>, got 'bot'"),
    (["--serviceaccount", "ops:"], "serviceaccount must be <namespace>:<name>, got 'ops:'"),
    (["-n", "a/b"], "invalid namespace \"a/b\": [may not contain '/']"),
]


@pytest.mark.parametrize(("arguments", "told"), REFUSED)
def test_what_is_refused_is_told_in_a_line(safe: CommandLine, arguments: list[str], told: str) -> None:
    ended = safe("rbac", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[0].removeprefix("error: ") == told


def readme() -> list[str]:
    """Return the lines of what the README says of rights."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    return text.partition("\n## Rights\n")[2].partition("\n## ")[0].splitlines()


COMMANDS = [line.removeprefix("$ ") for line in readme() if line.removeprefix("$ ").startswith("kubectl safe rbac ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_readme_prints_something(safe: CommandLine, line: str) -> None:
    own, _, further = line.partition("|" if "|" in line else "#")
    ended = safe(*own.split()[2:])
    assert (ended.code, ended.err) == (0, "")
    assert ended.out
    assert "|" not in line or further.split()[:4] == ["kubectl", "apply", "-f", "-"]


def test_what_the_readme_shows_is_what_is_printed(safe: CommandLine) -> None:
    _, _, shown = "\n".join(readme()).partition("\n$ kubectl safe rbac -n shop\n")
    parts = shown.partition("\n```")[0].split("...\n")
    rest = safe("rbac", "-n", "shop").out
    assert len(COMMANDS) == 6
    assert rest.startswith(parts[0])
    for part in (part.removesuffix("...").strip("\n") for part in parts):
        _, found, rest = rest.partition(part)
        assert found, part
