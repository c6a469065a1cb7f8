"""How long `check -A` takes over its reads alone, how much memory, and how many calls to AWS a second.

python -m tests.benchmarks.check [--workloads 500] [--groups 200]

Each workload has 10 pods. AWS is asked twice a second, so 200 groups take more than three minutes.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kubectl_safe.sandbox.elbv2 import HEALTHY, Elbv2, Registration, Target, TargetGroup
from kubectl_safe.sandbox.elbv2_api import Elbv2Api
from kubectl_safe.sandbox.network import PodNetwork
from tests.support.api_server import GRANTED, Answer, ApiServer, Asked, Feed, is_review
from tests.support.loop import LoopThread

PODS, NODES, NAMESPACES = 10, 250, 50
SINCE = "2026-11-23T11:00:00Z"
API = "elbv2.k8s.aws"
PADDING = "x" * 3000
"""A pod of a real cluster has about 5 kB."""


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=500)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.child)
        return
    elbv2 = Elbv2(PodNetwork())
    groups = [elbv2.add(TargetGroup(name=f"app{n}")) for n in range(arguments.groups)]
    lists = _lists(arguments.workloads, groups)
    for number, group in enumerate(groups):
        group.targets.update({Target(_ip(number, pod), 8080): Registration(health=HEALTHY) for pod in range(PODS)})
    with (
        TemporaryDirectory() as folder,
        LoopThread() as loop,
        loop.entered(Elbv2Api(elbv2)) as api,
        ApiServer(lambda asked: _answer(asked, lists)) as server,
    ):
        _measure(server.kubeconfig(Path(folder)), api.url, elbv2)


def _measure(kubeconfig: str, aws: str, elbv2: Elbv2) -> None:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "check",
        "AWS_SECRET_ACCESS_KEY": "check",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = ["check", "-A", "-o", "json", "--kubeconfig", kubeconfig]
    child = [sys.executable, "-m", "tests.benchmarks.check", "--child", *command]
    done = subprocess.run(child, env=environment, text=True, capture_output=True, check=False)
    calls = [call.time for call in elbv2.journal if call.caller == "check"]
    rate = (len(calls) - 1) / (calls[-1] - calls[0]) if len(calls) > 1 else 0.0
    told = done.stderr.splitlines()[-1:] or [f"it ended with {done.returncode}"]
    print(*told, f"{len(calls)} calls to AWS, {rate:.2f} a second", sep="; ")  # noqa: T201 - its result


def _child(command: list[str]) -> None:
    """Run the command in this process, and print its figures to stderr."""
    from kubectl_safe.cli.main import run
    from kubectl_safe.run import check

    took = [0.0]
    find = vars(check)["findings"]

    def timed(*given: Any) -> list[Any]:
        began = time.perf_counter()
        found = list(find(*given))
        took[0] = time.perf_counter() - began
        return found

    vars(check)["findings"] = timed
    began = time.perf_counter()
    code = run(command)
    total = time.perf_counter() - began
    reads = total - took[0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = (
        f"exit code {code}, {total:.1f} s, of which {took[0]:.1f} s to find ({total / reads:.2f}x of the reads alone)"
    )
    print(f"{told}, {memory:.0f} MiB", file=sys.stderr)  # noqa: T201 - its result


def _answer(asked: Asked, lists: Mapping[str, list[Any]]) -> Answer | Feed:
    if asked.is_watch:
        return Feed()
    if is_review(asked):
        return GRANTED
    if asked.path == "/apis":
        return Answer(body={"groups": [{"name": API, "versions": [{"groupVersion": f"{API}/v1beta1"}]}]})
    if asked.path == f"/apis/{API}/v1beta1":
        return Answer(body={"resources": [{"name": "targetgroupbindings"}]})
    resource_name = asked.path.rpartition("/")[2]
    items = [] if asked.query.get("labelSelector") else lists.get(resource_name, [])
    return Answer(body={"metadata": {"resourceVersion": "1"}, "items": items})


def _ip(workload: int, pod: int) -> str:
    number = workload * PODS + pod
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _meta(kind: str, workload: int, name: str, **more: Any) -> dict[str, Any]:
    known = {"namespace": f"ns{workload % NAMESPACES}", "name": name, "uid": f"{kind}-{name}", "resourceVersion": "1"}
    return known | {"creationTimestamp": SINCE} | more


def _lists(workloads: int, groups: list[TargetGroup]) -> dict[str, list[Any]]:
    every = range(workloads)
    return {
        "namespaces": [
            {"metadata": {"name": f"ns{n}", "labels": {f"{API}/pod-readiness-gate-inject": "enabled"}}}
            for n in range(NAMESPACES)
        ],
        "nodes": [
            {"metadata": {"name": f"node-{n}", "uid": f"node-{n}", "resourceVersion": "1"}} for n in range(NODES)
        ],
        "deployments": [_deployment(n) for n in every],
        "replicasets": [_replica_set(n) for n in every],
        "services": [_service(n) for n in every],
        "endpointslices": [_slice(n) for n in every],
        "poddisruptionbudgets": [_budget(n) for n in every],
        "targetgroupbindings": [_binding(n, group) for n, group in enumerate(groups)],
        "pods": [pod for n in every for pod in _pods(n, has_gate=n < len(groups))],
    }


def _deployment(n: int) -> dict[str, Any]:
    labels = {"app": f"app{n}"}
    spec = {"replicas": PODS, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    status = {"replicas": PODS, "updatedReplicas": PODS, "readyReplicas": PODS, "availableReplicas": PODS}
    return {"metadata": _meta("deployment", n, f"app{n}"), "spec": spec, "status": status}


def _replica_set(n: int) -> dict[str, Any]:
    labels = {"app": f"app{n}", "pod-template-hash": "5d4f"}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"app{n}", "uid": f"deployment-app{n}"}
    return {
        "metadata": _meta("replicaset", n, f"app{n}-5d4f", ownerReferences=[{**owner, "controller": True}]),
        "spec": {"replicas": PODS, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    }


def _service(n: int) -> dict[str, Any]:
    port = {"name": "http", "port": 80, "targetPort": 8080}
    return {"metadata": _meta("service", n, f"app{n}"), "spec": {"selector": {"app": f"app{n}"}, "ports": [port]}}


def _slice(n: int) -> dict[str, Any]:
    labels = {
        "kubernetes.io/service-name": f"app{n}",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    endpoints = [
        {
            "addresses": [_ip(n, pod)],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "uid": f"pod-app{n}-5d4f-{pod}"},
        }
        for pod in range(PODS)
    ]
    return {"metadata": _meta("slice", n, f"app{n}-x", labels=labels), "addressType": "IPv4", "endpoints": endpoints}


def _budget(n: int) -> dict[str, Any]:
    status = {"disruptionsAllowed": 1, "currentHealthy": PODS, "desiredHealthy": PODS - 1}
    return {
        "metadata": _meta("budget", n, f"app{n}"),
        "spec": {"selector": {"matchLabels": {"app": f"app{n}"}}},
        "status": status,
    }


def _binding(n: int, group: TargetGroup) -> dict[str, Any]:
    reference = {"name": f"app{n}", "port": 80}
    spec = {"targetGroupARN": group.arn, "targetType": "ip", "serviceRef": reference}
    return {"metadata": _meta("binding", n, f"app{n}"), "spec": spec}


def _pods(n: int, *, has_gate: bool) -> Iterable[dict[str, Any]]:
    gates = [f"target-health.{API}/app{n}"] if has_gate else []
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"app{n}-5d4f", "uid": f"replicaset-app{n}-5d4f"}
    labels = {"app": f"app{n}", "pod-template-hash": "5d4f"}
    for pod in range(PODS):
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": SINCE}
            for kind in ("ContainersReady", "Ready", *gates)
        ]
        yield {
            "metadata": _meta(
                "pod", n, f"app{n}-5d4f-{pod}", labels=labels, ownerReferences=[{**owner, "controller": True}]
            ),
            "spec": {
                "nodeName": f"node-{(n * PODS + pod) % NODES}",
                "readinessGates": [{"conditionType": gate} for gate in gates],
                "containers": [{"name": "app", "env": [{"name": "PADDING", "value": PADDING}]}],
            },
            "status": {
                "phase": "Running",
                "podIPs": [{"ip": _ip(n, pod)}],
                "conditions": conditions,
            },
        }


if __name__ == "__main__":
    main()
