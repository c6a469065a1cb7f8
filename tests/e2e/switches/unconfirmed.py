"""`kubectl safe` without the confirmation that enough other pods are in service."""

from kubectl_safe.cli.main import main
from kubectl_safe.decide import handoff

safeguards = {"below_floor", "group_below_floor"}
assert safeguards <= vars(handoff).keys()
vars(handoff).update(dict.fromkeys(safeguards, lambda *_, **__: ""))
main()
