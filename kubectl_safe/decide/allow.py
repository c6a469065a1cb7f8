"""What `--allow` takes: the names of what is refused unless the reader answers for it, and what happens then.

It imports next to nothing, as every command's help is made of it.
"""

from collections.abc import Mapping

ADOPTION = "adoption"
DATA_PLANE = "data-plane"
DOWNTIME = "downtime"
LOCAL_TRAFFIC_POLICY = "local-traffic-policy"
MESH = "mesh"
PENDING_REVISION = "pending-revision"
POLICY_CHANGE = "policy-change"
SELECTORLESS_SERVICE = "selectorless-service"
UNKNOWN_OWNER = "unknown-owner"
UNSEEN_LOAD_BALANCER = "unseen-load-balancer"
UNSEEN_TARGETS = "unseen-targets"
ZONE_EMPTY = "zone-empty"

ALLOWABLE: Mapping[str, str] = {
    ADOPTION: "another controller may adopt a pod on its way, and delete one for it",
    DATA_PLANE: "what leads to a pod may cut what it has not answered, as kube-proxy does with UDP, and Cilium always",
    DOWNTIME: "of a workload that may run no pod beyond its replicas, the last one in service goes before another",
    LOCAL_TRAFFIC_POLICY: "a node is left without a pod of a Service by which it asks its own pods only",
    MESH: "a service mesh has told all clients of a pod that it is gone by the settle time",
    PENDING_REVISION: "pods come back with a template that waits for somebody to delete them",
    POLICY_CHANGE: "a network policy takes a pod for something else once labels are taken off it",
    SELECTORLESS_SERVICE: "a pod stays in EndpointSlices that somebody else keeps",
    UNKNOWN_OWNER: "pods of a controller that is not known leave their Services and go, with nothing waited for",
    UNSEEN_LOAD_BALANCER: "one that can't be asked has let go of a pod by the settle time",
    UNSEEN_TARGETS: "target groups that we may not ask are gone by their pods' readiness gates, and by --drain-wait",
    ZONE_EMPTY: "a zone is left without a healthy target of a group without cross-zone load balancing",
}
