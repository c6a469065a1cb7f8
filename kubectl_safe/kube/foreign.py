"""What clouds leave on Services, by which they can be told to lead requests to them."""

import json
from collections.abc import Mapping

_GROUP_STATUS, _GROUP = "cloud.google.com/neg-status", "cloud.google.com/neg"


def is_in_endpoint_group(annotations: Mapping[str, str]) -> bool:
    """Tell whether GKE puts the pods of a Service into network endpoint groups.

    The status is on each Service that has some. That an Ingress may have them, which every Service of a VPC-native
    cluster says, makes none yet; standalone ones are made at once (GKE documentation, standalone zonal NEGs).
    """
    if annotations.get(_GROUP_STATUS):
        return True
    try:
        wished = json.loads(annotations.get(_GROUP, "{}"))
    except ValueError:
        # Its controller can't read it either.
        return False
    return isinstance(wished, dict) and bool(wished.get("exposed_ports"))
