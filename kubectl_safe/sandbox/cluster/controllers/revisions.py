"""ControllerRevisions: the templates that a StatefulSet or a DaemonSet has had."""

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.queue import Context
from kubectl_safe.sandbox.cluster.model import template_hash
from kubectl_safe.sandbox.cluster.objects import Json, controller_reference, is_controlled_by, key_of

REVISION = "controller-revision-hash"


def keep_revision(context: Context, owner: Json) -> str:
    """Return the name of the owner's current template; it is written down where it is new."""
    model, (namespace, name) = context.model, key_of(owner)
    template = owner["spec"]["template"]
    digest = template_hash(template)
    its_name = f"{name}-{digest}"
    history = [its for its in model.all(kinds.REVISIONS, namespace) if is_controlled_by(its, owner)]
    newest = max((its["revision"] for its in history), default=0)
    known = model.find(kinds.REVISIONS, namespace, its_name)
    if known is None:
        body = {
            "metadata": {
                "name": its_name,
                "labels": {**(template["metadata"].get("labels") or {}), REVISION: digest},
                "ownerReferences": [controller_reference(owner)],
            },
            "data": {"spec": {"template": template}},
            "revision": newest + 1,
        }
        model.create(kinds.REVISIONS, namespace, body)
    elif known["revision"] < newest:
        model.update(kinds.REVISIONS, namespace, its_name, lambda before: {**before, "revision": newest + 1})
    return its_name if owner["kind"] == "StatefulSet" else digest
