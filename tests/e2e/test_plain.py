"""Plain uses: as a dry run, with a timeout, by a selector."""

import re
from dataclasses import replace

import pytest

from kubectl_safe.sandbox.elbv2 import ACCOUNT, REGION
from tests.support.stage import NAMESPACE, Stage, api, web
from tests.support.workloads import NODE, create, is_cordoned, ready_pods

pytestmark = pytest.mark.controlplane

COMMANDS = [
    pytest.param(("drain", NODE), id="drain"),
    pytest.param(("rollout", "restart", "deployment/web", "deployment/api", "-n", NAMESPACE), id="restart"),
]


@pytest.fixture(scope="module")
def shop(shared_stage: Stage) -> Stage:
    """The shared stage with an application behind the load balancer and one behind a Service."""
    shared_stage.deploy(replace(web(), replicas=3), replace(api(), replicas=3))
    return shared_stage


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["client", "server"])
def test_a_dry_run_prints_the_plan_and_writes_nothing(shop: Stage, command: tuple[str, ...], kind: str) -> None:
    before = len(shop.writes())
    out = shop.safe(*command, "--dry-run" if kind == "client" else "--dry-run=server").stdout
    written = shop.writes()[before:]
    assert [w for w in written if not w.is_dry_run] == []
    assert {(w.verb, w.resource) for w in written} == (set() if kind == "client" else _tried(command))
    assert not is_cordoned(shop)
    _assert_is_a_plan(out)
    mark = "(dry run)" if kind == "client" else "(server dry run)"
    assert out.endswith(
        f"node/{NODE} drained {mark}\n" if "drain" in command else f"deployment.apps/api restarted {mark}\n"
    )


def _tried(command: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return each kind of write that the command would do."""
    first = "nodes" if "drain" in command else "replicasets"
    return {("patch", first), ("patch", "pods"), ("patch", "targetgroupbindings"), ("create", "pods/eviction")}


def _assert_is_a_plan(out: str) -> None:
    """It names the order, what each step waits for, the account and the region, how long, and what sets that."""
    assert out.startswith("BATCH ")
    assert [line.split()[-3:-1] == [ACCOUNT, REGION] for line in out.splitlines() if line.startswith("shop-web")] == [
        True
    ]
    words = " ".join(out.split())
    assert "Each pod of deployment/web is" in words
    assert "released for one of 1 places beyond 3 replicas" in words
    assert "withdrawn until 3 others are in service: Ready, all gates True, in every EndpointSlice of web" in words
    assert "evicted until it is out of every EndpointSlice for 15s, and Target.NotRegistered in target group" in words
    assert re.search(r" about \d+ s: .* 15s settle ", words)


def test_a_timeout_ends_it_with_what_blocks(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Deployment", "pinned")
    (pod,) = ready_pods(shared_stage, namespace, "pinned")
    command = ("drain", NODE, "--timeout", "5s", "--settle", "1s", "--pod-selector", "app=pinned")
    done = shared_stage.safe(*command, check=False)
    assert done.returncode == 1
    waits = f"0 of 1 other pods of deployment {namespace}/pinned are in service: pod {namespace}/pinned-"
    assert f"\nglobal timeout reached: 5s: {waits}" in done.stderr
    assert "is not ready: 0/3 nodes are available: 1 node" in done.stderr
    assert f"  given back, serves on as before: {namespace}/{pod}\n" in done.stderr
    assert ready_pods(shared_stage, namespace, "pinned") == [pod]


def test_a_selector_chooses_the_deployments(shared_stage: Stage, namespace: str) -> None:
    for name in ("one", "two", "three"):
        create(shared_stage, namespace, "Deployment", name)
    shared_stage.kubectl("label", "deployment", "one", "two", "-n", namespace, "team=blue")
    before = {name: ready_pods(shared_stage, namespace, name) for name in ("one", "two", "three")}
    done = shared_stage.safe("rollout", "restart", "deployment", "-l", "team=blue", "-n", namespace)
    after = {name: ready_pods(shared_stage, namespace, name) for name in ("one", "two", "three")}
    assert done.stdout.endswith("deployment.apps/one restarted\ndeployment.apps/two restarted\n")
    assert {name for name in before if after[name] != before[name]} == {"one", "two"}
