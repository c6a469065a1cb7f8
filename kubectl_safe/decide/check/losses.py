"""Why requests are lost where somebody answers for what is refused, or what else goes wrong then."""

from collections.abc import Mapping

from kubectl_safe.decide import allow

LOSSES: Mapping[str, str] = {
    allow.ADOPTION: "A pod that has left its Services still matches the other's selector: the other counts it as its "
    "own, and deletes a pod that serves to get back to its number. Source: kubernetes.io, ReplicaSet, Non-Template Pod "
    "acquisitions.",
    allow.DATA_PLANE: "Taking a pod out of its EndpointSlices lets connections that it has go on only where the data "
    "plane keeps them; one that drops them cuts off the requests on them at once.",
    allow.DOWNTIME: "From the moment that the last pod leaves its Services until the next one is ready there is no "
    "endpoint: connections are refused, and load balancers answer 503. Source: AWS, Troubleshoot your Application Load "
    "Balancers.",
    allow.LOCAL_TRAFFIC_POLICY: "With the policy Local a node never hands requests on to another one: without a pod of "
    "its own it drops them, even while other nodes have healthy pods. Source: kubernetes.io, Service Internal Traffic "
    "Policy.",
    allow.MESH: "Clients in a mesh send requests to the endpoints that their own proxy knows, and nobody can ask "
    "them all: one that has not heard yet sends its requests to a pod that is gone.",
    allow.PENDING_REVISION: "With the strategy OnDelete every pod that goes is made anew of the latest template, which "
    "nobody has seen serve yet: where it fails, there is a pod less each time. Source: kubernetes.io, StatefulSets and "
    "DaemonSets, Update strategies.",
    allow.POLICY_CHANGE: "Connections may be denied as soon as a policy that let them in, or out, selects the pod no "
    "more, or one that denies them selects it: the requests that it is still answering fail. Source: kubernetes.io, "
    "Network Policies.",
    allow.SELECTORLESS_SERVICE: "Kubernetes keeps no endpoints of a Service without a selector: taking labels off "
    "a pod doesn't take it out, and it gets requests until it is gone, and after. Source: kubernetes.io, Services "
    "without selectors.",
    allow.UNKNOWN_OWNER: "Nobody can tell whether its controller replaces the pod, when, and how many may be away: the "
    "others may be too few, and overloaded.",
    allow.UNSEEN_LOAD_BALANCER: "Until the load balancer has let go of a pod it sends it requests; where that takes "
    "longer than the settle time, they go to a pod that is gone.",
    allow.UNSEEN_TARGETS: "Until a target is deregistered, and its deregistration delay is over, its load balancer "
    "sends it requests or waits for answers: where that takes longer than is waited, they are lost. Source: AWS, "
    "Deregistration delay.",
    allow.ZONE_EMPTY: "Without cross-zone load balancing a load balancer's node sends requests to targets of its own "
    "zone only: clients that still have its address find none, until DNS tells them others. Source: AWS, Cross-zone "
    "load balancing.",
}
