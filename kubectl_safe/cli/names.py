"""Names on the command line, refused in kubectl's words where nothing can have them."""

import re

from kubectl_safe.model.errors import UsageError


def namespace_name(text: str) -> str:
    """Return the name of a namespace, in kubectl's words where it can be none; an empty one means the context's.

    Raises:
        UsageError: no namespace can have this name, and in a request's path it might mean something else.
    """
    if text and (trouble := _path_trouble(text) or _label_trouble(text)):
        raise UsageError(f'invalid namespace "{text}": [{trouble}]')
    return text


def resource_name(text: str) -> str:
    """Return the name of an object, in kubectl's words where it can be none.

    Raises:
        UsageError: no object can have this name.
    """
    if not text:
        raise UsageError("resource name may not be empty")
    if trouble := _path_trouble(text):
        raise UsageError(f'invalid resource name "{text}": [{trouble}]')
    return text


def kind_and_name(text: str) -> tuple[str, str]:
    """Return both parts of `KIND/NAME`; the kind is empty where there is only a name.

    Raises:
        UsageError: in kubectl's words.
    """
    kind, slash, name = text.partition("/")
    if not slash:
        return "", resource_name(text)
    if "/" in name:
        raise UsageError(f"arguments in resource/name form may not have more than one slash: {text!r}")
    if not kind or not name:
        raise UsageError(f"arguments in resource/name form must have a single resource and name: {text!r}")
    return kind, resource_name(name)


def _path_trouble(text: str) -> str:
    """Return why a name can't be a segment of a path (k8s.io/apimachinery, IsValidPathSegmentName)."""
    if text in {".", ".."}:
        return f"may not be '{text}'"
    return ", ".join(f"may not contain '{c}'" for c in "/%" if c in text)


def _label_trouble(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text):
        return ""
    return "must be at most 63 lower case alphanumeric characters or '-', and begin and end with an alphanumeric one"
