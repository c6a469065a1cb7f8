"""What findings call objects, and the commands that remedies give for them."""

from collections.abc import Iterable, Mapping, Sequence

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.refused import RESTARTABLE
from kubectl_safe.decide.check.subject import Subject, of_pod
from kubectl_safe.decide.check.words import counted
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.pod import Pod

ARGO_ROLLOUT = "rollout.argoproj.io"


def by_subject(pods: Iterable[Pod], facts: Facts) -> Mapping[Subject, list[Pod]]:
    """Return pods by what findings about them are told of, each list by name."""
    found: dict[Subject, list[Pod]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.namespace, pod.name)):
        found.setdefault(of_pod(pod, facts.snapshot), []).append(pod)
    return found


def anew(subject: Subject, pods: Sequence[Pod]) -> str:
    """Return the command that makes pods of a subject anew, never all of them at once."""
    kind = subject.kind.partition(".")[0]
    if kind in {known.lower() for known in RESTARTABLE}:
        return f"kubectl safe rollout restart {kind}/{subject.name} -n {subject.namespace}"
    if subject.kind == ARGO_ROLLOUT:
        return f"kubectl argo rollouts restart {subject.name} -n {subject.namespace}  # a plugin of Argo Rollouts"
    delete = f"kubectl delete pod {pods[0].name} -n {subject.namespace}"
    if subject.kind == "pod":
        return f"{delete}  # nothing that is known creates it anew"
    rest = f", then so with {counted(len(pods) - 1, 'other')}" if len(pods) > 1 else ""
    return f"{delete}  # and wait until another one is Ready{rest}"


def ago(facts: Facts, pod: Pod, condition: str) -> str:
    """Return for how long a condition of a pod is as it is, as `for 5m`; empty where that isn't told."""
    known = pod.conditions.get(condition)
    if known is None or known.since is None or known.since > facts.snapshot.at:
        return ""
    return f"for {go_duration(facts.snapshot.at - known.since)}"
