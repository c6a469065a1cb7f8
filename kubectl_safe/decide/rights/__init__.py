"""The rights on a cluster that each command needs, and what is told of those that somebody lacks."""

from kubectl_safe.decide.rights.looking import beside_check, to_check, to_look, to_watch_rollouts
from kubectl_safe.decide.rights.moving import on_pods, to_abort, to_drain, to_restart, to_uncordon
from kubectl_safe.decide.rights.pieces import CONTROLLER_HOME, EVERY_NODE, NODE_LEASES
from kubectl_safe.decide.rights.right import Lack, Needs, Right, refusal

__all__ = [
    "CONTROLLER_HOME",
    "EVERY_NODE",
    "NODE_LEASES",
    "Lack",
    "Needs",
    "Right",
    "beside_check",
    "on_pods",
    "refusal",
    "to_abort",
    "to_check",
    "to_drain",
    "to_look",
    "to_restart",
    "to_uncordon",
    "to_watch_rollouts",
]
