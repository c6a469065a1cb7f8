"""The published schema, and its strict reading: whoever writes a field has to describe it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import kubectl_safe.render

SCHEMA: Mapping[str, Any] = json.loads(
    (Path(kubectl_safe.render.__file__).parent / "output.schema.json").read_text(encoding="utf-8")
)


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of an object with its place."""
    if isinstance(schema, list):
        for item in schema:
            yield from objects(item, path)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, f"{path}/{key}")


def check(written: Any) -> None:
    """Fail unless what was written is as the schema says, with nothing besides."""
    kind = "report" if "kind" in written else f"{written['type']}Event"
    Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": _strict()["$defs"]}).validate(written)


def _strict() -> Any:
    schema = json.loads(json.dumps(SCHEMA))
    for _, found in objects(schema):
        found["additionalProperties"] = False
    return schema
