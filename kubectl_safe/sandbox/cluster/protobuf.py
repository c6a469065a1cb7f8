"""The few protobuf bodies that kubectl sends, as JSON: its generated clients send nothing else.

Field numbers are those of the API's generated.proto files. Answers are JSON, which those clients accept.
"""

from collections.abc import Iterator
from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster.objects import Json

_MAGIC = b"k8s\x00"
_Schema = dict[int, tuple[str, Any]]
"""By field number: the JSON name, and `str`, `int`, `bool`, `dict` for a map of texts, a list of one of
them, or a message's own schema."""

_PRECONDITIONS: _Schema = {1: ("uid", str), 2: ("resourceVersion", str)}
_DELETE_OPTIONS: _Schema = {
    1: ("gracePeriodSeconds", int),
    2: ("preconditions", _PRECONDITIONS),
    3: ("orphanDependents", bool),
    4: ("propagationPolicy", str),
    5: ("dryRun", [str]),
}
_METADATA: _Schema = {
    1: ("name", str),
    2: ("generateName", str),
    3: ("namespace", str),
    5: ("uid", str),
    11: ("labels", dict),
    12: ("annotations", dict),
}
_RESOURCE_ATTRIBUTES: _Schema = {
    1: ("namespace", str),
    2: ("verb", str),
    3: ("group", str),
    4: ("version", str),
    5: ("resource", str),
    6: ("subresource", str),
    7: ("name", str),
}
_SCHEMAS: dict[str, _Schema] = {
    "Namespace": {1: ("metadata", _METADATA)},
    "DeleteOptions": _DELETE_OPTIONS,
    "Eviction": {1: ("metadata", _METADATA), 2: ("deleteOptions", _DELETE_OPTIONS)},
    "SelfSubjectAccessReview": {
        1: ("metadata", _METADATA),
        2: ("spec", {1: ("resourceAttributes", _RESOURCE_ATTRIBUTES)}),
    },
}
_ENTRY: _Schema = {1: ("key", str), 2: ("value", str)}
_TYPE_META: _Schema = {1: ("apiVersion", str), 2: ("kind", str)}


def decode(body: bytes) -> Json:
    """Return the JSON of a body in the API's protobuf envelope.

    Raises:
        RefusalError: it is none, or of a kind that is not known here.
    """
    if not body.startswith(_MAGIC):
        raise refusals.bad_request("provided data does not appear to be a protobuf message")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    meta = _message(_bytes(envelope[1]), _TYPE_META)
    schema = _SCHEMAS.get(meta.get("kind", ""))
    if schema is None:
        raise refusals.unsupported_media("application/vnd.kubernetes.protobuf", "application/json")
    return {**meta, **_message(_bytes(envelope.get(2, b"")), schema)}


def _message(data: bytes, schema: _Schema) -> Json:
    found: Json = {}
    for number, value in _fields(data):
        if number not in schema:
            continue
        name, kind = schema[number]
        if isinstance(kind, list):
            found.setdefault(name, []).append(_bytes(value).decode())
        elif kind is dict:
            entry = _message(_bytes(value), _ENTRY)
            found.setdefault(name, {})[entry["key"]] = entry.get("value", "")
        elif isinstance(kind, dict):
            found[name] = _message(_bytes(value), kind)
        elif kind is str:
            found[name] = _bytes(value).decode()
        else:
            found[name] = kind(value)
    return {name: value for name, value in found.items() if value != ""}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield a message's fields by number: varints as numbers, everything of a length as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                yield tag >> 3, data[at : at + length]
                at += length
            case other:
                raise refusals.bad_request(f"protobuf wire type {other} is not read here")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise refusals.bad_request("a protobuf field has another type than it should have")
    return value
