"""How each component of a sandbox control plane is started: its arguments and its files.

What takes processor time and serves no drain or rollout is off. Endpoint batching, budgets and garbage collection are
as in any cluster, for they are what is looked at.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

CONTROLLERS = (
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "replicationcontroller-controller",
    "resourcequota-controller",
    "statefulset-controller",
)

NODE_CONTROLLERS = ("node-lifecycle-controller", "taint-eviction-controller")
"""What finds out that a node is silent, and deletes its pods; without them nodes need renew no Leases."""

_CALL_RATES = ("--kube-api-qps=400", "--kube-api-burst=800")

_WRITES = ["create", "update", "patch", "delete", "deletecollection"]
_LOOKED_AT = [
    {"group": "", "resources": ["pods", "pods/eviction", "nodes"]},
    {"group": "apps", "resources": ["deployments", "replicasets", "statefulsets", "daemonsets"]},
    {"group": "policy", "resources": ["poddisruptionbudgets"]},
    {"group": "coordination.k8s.io", "resources": ["leases"]},
    {"group": "elbv2.k8s.aws"},
    {"group": "eks.amazonaws.com"},
]
_FOLLOWED = [
    {"group": "", "resources": ["pods/status", "pods/binding", "services"]},
    {"group": "discovery.k8s.io", "resources": ["endpointslices"]},
    {"group": "apps", "resources": ["deployments/scale", "deployments/status"]},
]


def audit_policy() -> dict[str, Any]:
    """Return the audit policy: writes that tests order and count with their bodies, no reads of the components."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # An entry has both times, requestReceivedTimestamp and stageTimestamp, so one stage tells all.
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "omitManagedFields": True,
        "rules": [
            {"level": "RequestResponse", "verbs": _WRITES, "resources": _LOOKED_AT},
            {"level": "Request", "verbs": _WRITES, "resources": _FOLLOWED},
            {"level": "Metadata", "verbs": _WRITES},
            {"level": "None", "userGroups": ["system:serviceaccounts"]},
            {
                "level": "None",
                "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"],
            },
            {"level": "None", "nonResourceURLs": ["/*"]},
            {"level": "Metadata"},
        ],
    }


def etcd(binaries: Path, data: Path, port: int) -> list[str]:
    """Return the arguments of an etcd that keeps nothing beyond its run."""
    url = f"http://127.0.0.1:{port}"
    return [
        str(binaries / "etcd"),
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync",
        "--heartbeat-interval=50",
        "--election-timeout=250",
        "--log-level=warn",
    ]


def kube_apiserver(
    binaries: Path, folder: Path, *, port: int, etcd_port: int, certificate: tuple[Path, Path], account_key: Path
) -> list[str]:
    """Return the arguments of an API server on 127.0.0.1 that knows the users of `tokens.csv`."""
    return [
        str(binaries / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={certificate[0]}",
        f"--tls-private-key-file={certificate[1]}",
        f"--cert-dir={folder}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer=https://127.0.0.1:{port}",
        f"--service-account-key-file={account_key}",
        f"--service-account-signing-key-file={account_key}",
        "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
        # Pods of the sandbox have no token to mount, and nothing here takes the not-ready taint off a new node.
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        "--endpoint-reconciler-type=none",
        "--advertise-address=192.0.2.1",
        f"--audit-policy-file={folder / 'audit-policy.json'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-maxsize=100000",
        "--profiling=false",
    ]


def kube_controller_manager(binaries: Path, folder: Path, *, kubeconfig: Path, silence: int = 0) -> list[str]:
    """Return the arguments of a controller manager with the controllers that drains and rollouts rely on.

    Where `silence` is given, a node that renews no Lease for so many seconds is taken for dead.
    """
    controllers = (*CONTROLLERS, *(NODE_CONTROLLERS if silence else ()))
    watchful = ("--node-monitor-period=1s", f"--node-monitor-grace-period={silence}s", "--node-eviction-rate=10")
    return [
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        f"--cert-dir={folder}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--controllers={','.join(controllers)}",
        # Each controller has a name of its own in the audit log.
        "--use-service-account-credentials",
        "--concurrent-gc-syncs=5",
        *(watchful if silence else ()),
        "--profiling=false",
        *_CALL_RATES,
    ]


def kube_scheduler(binaries: Path, folder: Path, *, kubeconfig: Path) -> list[str]:
    """Return the arguments of a scheduler that is alone."""
    return [
        str(binaries / "kube-scheduler"),
        f"--kubeconfig={kubeconfig}",
        f"--cert-dir={folder}",
        "--secure-port=0",
        "--leader-elect=false",
        *_CALL_RATES,
    ]


def token_lines(tokens: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> str:
    """Return the token file's lines for users, their tokens and their groups."""
    return "".join(f'{token},{user},{user},"{",".join(groups[user])}"\n' for user, token in tokens.items())


def kubeconfig(*, url: str, ca_file: Path, user: str, token: str) -> str:
    """Return a kubeconfig, as JSON, which is YAML too."""
    name = "sandbox"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority": str(ca_file)}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        },
        indent=1,
    )
