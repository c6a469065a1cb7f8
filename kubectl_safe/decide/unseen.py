"""Target groups that can't be asked, for want of rights or credentials, and that the reader goes on without.

What the load balancer controller was told is all that is known of their targets then: it sets a readiness gate on each
pod. A gate is no proof, for it is up to 15 s old, and stays True while the controller is down. So nobody goes by gates
unless told to, by `--allow unseen-targets`.
"""

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target, TargetGroupBinding


def bindings_of(pod: Pod, target: Target, snapshot: Snapshot) -> tuple[TargetGroupBinding, ...]:
    """Return the bindings that make a pod this target."""
    return tuple(b for b in snapshot.bindings_of(pod) if b.group == target.group)


def gate_of(pod: Pod, binding: TargetGroupBinding) -> str | None:
    """Return the readiness gate of a binding that a pod has; None where the controller gave it none."""
    return binding.gate_in(pod.readiness_gates)


def waits_for_gate(pod: Pod, binding: TargetGroupBinding) -> bool:
    """Tell whether a pod has a readiness gate of a binding that is not True."""
    return gate_of(pod, binding) in pod.unmet_gates


def unconfirmed(pod: Pod, target: Target, snapshot: Snapshot) -> str:
    """Return why gates don't confirm that a pod is a healthy target of an unseen group; empty where they do."""
    bindings = bindings_of(pod, target, snapshot)
    if not bindings:
        return f"target {target} can't be asked, and is of no targetgroupbinding any more"
    for binding in bindings:
        gate = gate_of(pod, binding)
        if gate is None:
            return f"target {target} can't be asked, and pod {pod} has no readiness gate of binding {binding.name}"
        if gate in pod.unmet_gates:
            return f"target {target} can't be asked, and pod {pod} waits for its readiness gate {gate}"
    return ""
