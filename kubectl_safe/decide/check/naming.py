"""What findings call objects, and the commands that remedies give for them."""

from collections.abc import Iterable, Mapping

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.refused import RESTARTABLE
from kubectl_safe.decide.check.subject import Subject, of_pod
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.pod import Pod


def by_subject(pods: Iterable[Pod], facts: Facts) -> Mapping[Subject, list[Pod]]:
    """Return pods by what findings about them are told of, each list by name."""
    found: dict[Subject, list[Pod]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.namespace, pod.name)):
        found.setdefault(of_pod(pod, facts.snapshot), []).append(pod)
    return found


def anew(subject: Subject) -> str:
    """Return the command that makes the pods of a subject anew."""
    kind = subject.kind.partition(".")[0]
    if kind in {known.lower() for known in RESTARTABLE}:
        return f"kubectl safe rollout restart {kind}/{subject.name} -n {subject.namespace}"
    return f"kubectl delete {kind} {subject.name} -n {subject.namespace}  # what owns it has to create it anew"


def ago(facts: Facts, pod: Pod, condition: str) -> str:
    """Return for how long a condition of a pod is as it is, as `for 5m`; empty where that isn't told."""
    known = pod.conditions.get(condition)
    if known is None or known.since is None or known.since > facts.snapshot.at:
        return ""
    return f"for {go_duration(facts.snapshot.at - known.since)}"
