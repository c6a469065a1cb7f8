"""`check` on a real control plane: a good set-up gives no finding, a bad one what is wrong with it."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.application import Application, Balanced
from tests.support.stage import NAMESPACE, RESTRICTED, Stage, api, web

pytestmark = pytest.mark.controlplane

ABSENT = "Error from server (NotFound):"
BAD = "bank"
ONE_BY_ONE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
ONE_MORE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
CONTROLLER = "aws-load-balancer-controller"


@pytest.fixture(scope="module")
def two_shops(shared_stage: Stage) -> Stage:
    """A namespace that is set up well and one that isn't, and what stands for the load balancer controller."""
    shared_stage.deploy(
        Application(namespace="kube-system", name=CONTROLLER, replicas=2, pre_stop=1),
        web(deregistration_delay=10, pre_stop=10, strategy=ONE_MORE),
        api(pre_stop=1, strategy=ONE_MORE),
    )
    for namespace, name in (("kube-system", CONTROLLER), (NAMESPACE, "web"), (NAMESPACE, "api")):
        shared_stage.kubectl(
            *("create", "pdb", name, "-n", namespace, f"--selector=app={name}", "--max-unavailable=1"),
        )
    shared_stage.kubectl("label", "deployment", CONTROLLER, "-n", "kube-system", f"app.kubernetes.io/name={CONTROLLER}")
    shared_stage.deploy(
        Application(
            namespace=BAD,
            name="till",
            replicas=1,
            is_load_balanced=True,
            strategy=ONE_BY_ONE,
            balanced=(Balanced(attributes={"stickiness.enabled": "true", "stickiness.type": "lb_cookie"}),),
        ),
        injects_gates=False,
    )
    for name in ("one", "two"):
        shared_stage.kubectl(
            *("create", "pdb", name, "-n", BAD, "--selector=app=till", "--min-available=0"),
        )
    return shared_stage


def codes(told: str) -> dict[str, str]:
    """Return the objects of findings by their codes, of `-o json`."""
    return {its["code"]: f"{its['object']['kind']}/{its['object']['name']}" for its in json.loads(told)["findings"]}


def check(stage: Stage, *arguments: str, **options: Any) -> "tuple[int, str, str]":
    done = stage.safe("check", *arguments, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def test_a_good_set_up_gives_no_finding(two_shops: Stage) -> None:
    before = len(two_shops.writes())
    code, out, err = check(two_shops, "-n", NAMESPACE)
    assert (code, out, err) == (0, "nothing found: 10 pods of 2 workloads checked\n", "")
    assert [write for write in two_shops.writes()[before:] if "review" not in write.resource] == []


def test_a_bad_set_up_gives_what_is_wrong_with_it(two_shops: Stage) -> None:
    code, out, _ = check(two_shops, "-n", BAD, "-o", "json")
    assert code == 1
    assert codes(out) == {
        "downtime": "deployment.apps/till",
        "two-budgets": "deployment.apps/till",
        "gates-not-injected": f"namespace/{BAD}",
        "prestop-missing": "deployment.apps/till",
        "rollout-downtime": "deployment.apps/till",
        "single-replica": "deployment.apps/till",
        "stickiness": "targetgroupbinding.elbv2.k8s.aws/till",
    }
    assert check(two_shops, "-n", BAD, "--fail-on", "never")[0] == 0
    assert check(two_shops, "-n", BAD, "--ignore", "downtime,two-budgets", "--ignore", "gates-not-injected")[0] == 0


def test_one_workload_or_the_whole_cluster_is_checked(two_shops: Stage) -> None:
    assert check(two_shops, "deployment/web", "-n", NAMESPACE)[:2] == (
        0,
        "nothing found: 6 pods of 1 workload checked\n",
    )
    code, out, _ = check(two_shops, "-A", "-o", "sarif")
    [run] = json.loads(out)["runs"]
    assert code == 1
    assert {its["ruleId"] for its in run["results"] if its["level"] == "error"} == {
        "downtime",
        "two-budgets",
        "gates-not-injected",
    }


def test_what_is_not_there_can_not_be_checked(two_shops: Stage) -> None:
    assert check(two_shops, "deployment/none", "-n", NAMESPACE) == (
        2,
        "",
        f'{ABSENT} deployments.apps "none" not found\n',
    )
    assert check(two_shops, "node/none") == (2, "", f'{ABSENT} nodes "none" not found\n')


def test_who_may_not_look_is_told_so(two_shops: Stage) -> None:
    code, out, err = check(two_shops, "-n", NAMESPACE, user=RESTRICTED)
    assert (code, out) == (2, "")
    assert f"  list pods in namespace {NAMESPACE}\n" in err


READABLE = (
    "pods,services,endpointslices.discovery.k8s.io,poddisruptionbudgets.policy,networkpolicies.networking.k8s.io,"
    "replicasets.apps,deployments.apps,targetgroupbindings.elbv2.k8s.aws"
)


def test_who_may_only_read_one_namespace_is_told_what_is_left_out_and_what_may_not_be_done(two_shops: Stage) -> None:
    two_shops.kubectl(
        *("create", "role", "reader", "-n", NAMESPACE, "--verb=get,list,watch", f"--resource={READABLE}"),
    )
    two_shops.kubectl(
        *("create", "rolebinding", "reader", "-n", NAMESPACE, "--role=reader", f"--user={RESTRICTED}"),
    )
    code, out, err = check(two_shops, "deployment/web", "-n", NAMESPACE, "-o", "json", user=RESTRICTED)
    written = json.loads(out)
    assert (code, {its["code"] for its in written["findings"]}) == (0, {"rights-missing"})
    assert {its["object"]["name"] for its in written["findings"]} == {"rollout restart", "drain", "check"}
    unread = {what.partition(" can't be read: ")[0] for what in written["unread"]}
    assert unread >= {"namespaces", "leases", "mutatingwebhookconfigurations", "events of targetgroupbindings"}
    assert all(f"Warning: {what}; rules about that found nothing\n" in err for what in written["unread"])


def test_a_program_that_kubectl_runs_instead(two_shops: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "kubectl-safe-drain"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    code, out, _ = check(two_shops, "-n", NAMESPACE, "-o", "json")
    assert (code, codes(out)) == (1, {"shadowed-command": f"file/{other}"})


@contextmanager
def dead_restart(stage: Stage) -> Iterator[None]:
    """Kill a restart in the middle; its Lease is taken away, as it takes a minute to look like that of a dead run."""
    with stage.safe_in_background("rollout", "restart", "deployment/api", "-n", NAMESPACE, "--settle", "60s") as run:
        run.await_line("released")
        run.process.send_signal(signal.SIGKILL)
        run.wait()
    stage.kubectl("delete", "leases", "-n", NAMESPACE, "-l", "app.kubernetes.io/managed-by=kubectl-safe")
    yield


def test_what_a_dead_run_left_and_the_command_that_ends_it(two_shops: Stage) -> None:
    with dead_restart(two_shops):
        code, out, _ = check(two_shops, "deployment/api", "-n", NAMESPACE, "-o", "json")
        assert (code, codes(out)) == (
            1,
            {"leftover-handoff": "deployment.apps/api", "leftover-record": "deployment.apps/api"},
        )
        [remedy] = [its["remedy"] for its in json.loads(out)["findings"] if its["code"] == "leftover-handoff"]
        assert remedy == f"kubectl safe abort deployment/api -n {NAMESPACE}"
        two_shops.safe(*remedy.split()[2:], "--settle", "3s")
        two_shops.await_full_strength()
    assert check(two_shops, "deployment/api", "-n", NAMESPACE)[0] == 0


def test_a_group_whose_targets_are_nodes(two_shops: Stage) -> None:
    two_shops.deploy(
        Application(
            namespace="kiosk",
            name="kiosk",
            replicas=2,
            is_load_balanced=True,
            targets="instance",
            pre_stop=1,
            strategy=ONE_MORE,
            balanced=(Balanced(attributes={"deregistration_delay.timeout_seconds": "0"}),),
        ),
    )
    two_shops.kubectl(*("create", "pdb", "kiosk", "-n", "kiosk", "--selector=app=kiosk", "--max-unavailable=1"))
    code, out, _ = check(two_shops, "-n", "kiosk", "-o", "json")
    assert (code, codes(out)) == (1, {"deregistration-delay-zero": "targetgroupbinding.elbv2.k8s.aws/kiosk"})
