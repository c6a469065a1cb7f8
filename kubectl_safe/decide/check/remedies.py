"""The lines that remedies are made of: a few of YAML and where they go, or a command."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.subject import Subject
from kubectl_safe.model.target import TargetGroup

TO_END = timedelta(seconds=15)
"""For the application itself, after SIGTERM."""
_ANNOTATIONS = {
    True: "alb.ingress.kubernetes.io/target-group-attributes of its Ingress",
    False: "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes of its Service",
}
"""Where the load balancer controller takes attributes from, for application load balancers and for others."""


def in_spec(subject: Subject, *lines: str) -> str:
    """Return lines of a workload's spec, and the command that opens it."""
    return "\n".join([_edit(subject, "in spec"), *lines])


def in_pods(subject: Subject, *lines: str) -> str:
    """Return lines of the spec of the pods of a subject, and the command that opens it."""
    where = "in spec" if subject.kind == "pod" else "in spec.template.spec"
    return "\n".join([_edit(subject, where), *lines])


def of_container(name: str, *lines: str) -> list[str]:
    """Return lines of a container's spec."""
    return ["containers:", f"- name: {name}", *(f"  {line}" for line in lines)]


def pausing(its: Alike, name: str, pause: timedelta) -> str:
    """Return how to have a container pause, and the time for that."""
    grace = max(its.grace, pause + TO_END)
    lines = of_container(name, "lifecycle:", "  preStop:", f"    sleep: {{seconds: {whole_seconds(pause)}}}")
    return in_pods(its.subject, f"terminationGracePeriodSeconds: {whole_seconds(grace)}", *lines)


def attribute(group: TargetGroup, key: str, value: str | int) -> str:
    """Return the command that sets an attribute of a target group, and where the controller takes it from."""
    where = _ANNOTATIONS[group.details.protocol in {"HTTP", "HTTPS"}]
    return (
        f"aws elbv2 modify-target-group-attributes --target-group-arn {group.arn} --attributes Key={key},Value={value}"
        f"\n# where the load balancer controller made the group: {key}={value} in annotation {where}"
    )


def health_check(group: TargetGroup, settings: Mapping[str, str | int]) -> str:
    """Return the command that sets how a target group checks its targets, and where the controller takes it from.

    Args:
        group: which.
        settings: by their names: `interval-seconds`, `port`, `healthy-threshold-count`.
    """
    flags = " ".join(f"--{_flag(name)} {value}" for name, value in settings.items())
    is_http = group.details.protocol in {"HTTP", "HTTPS"}
    prefix, of = (
        ("alb.ingress.kubernetes.io/healthcheck-*", "Ingress")
        if is_http
        else ("service.beta.kubernetes.io/aws-load-balancer-healthcheck-*", "Service")
    )
    return (
        f"aws elbv2 modify-target-group --target-group-arn {group.arn} {flags}"
        f"\n# where the load balancer controller made the group: so in the annotations {prefix} of its {of}"
    )


def _flag(name: str) -> str:
    return name if name.endswith("threshold-count") else f"health-check-{name}"


def whole_seconds(duration: timedelta) -> int:
    """Return a duration in seconds, up to whole ones."""
    return -(-duration // timedelta(seconds=1))


def listed(names: Iterable[str]) -> str:
    """Return names in one order, each once."""
    return ", ".join(sorted(set(names)))


def _edit(subject: Subject, where: str) -> str:
    return f"# kubectl edit {subject} -n {subject.namespace}, {where}:"
