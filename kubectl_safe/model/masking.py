"""What nobody may read over a shoulder or in a log: credentials, wherever they are in what is shown.

It knows them by the names they have and by their shapes. Where in doubt it masks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

MASKED = "<masked>"

_SHORTEST = 8
"""A shorter credential would be found in words that have nothing to do with it."""

_WORDS = (
    r"token|password|passwd|passphrase|secret|private-?_?key|client-?_?key|client-?_?key-?_?data|access-?_?key"
    r"|api-?_?key|credentials?|signature"
)
_SECRET_NAME = re.compile(rf"(?:{_WORDS}|authorization|cookie)s?$", re.IGNORECASE)
"""How the names of fields, headers, variables, flags and query parameters end that hold one."""

_SECRETS_PATH = re.compile(r"/secrets(?:[/?\s]|$)")

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), MASKED),
    # Of a header, also in the canonical request that AWS quotes when a signature is wrong.
    (
        re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|negotiate)\s+)?)[^\s\"']+"),
        rf"\1{MASKED}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{12,}"), rf"\1{MASKED}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), MASKED),
    (re.compile(r"\bk8s-aws-v1\.[\w-]+"), MASKED),
    (re.compile(r"(://)[^/\s@\"'<>]+@"), rf"\1{MASKED}@"),
    (re.compile(rf"(?i)([?&][\w.%-]*(?:{_WORDS})s?=)[^&#\s\"']*"), rf"\1{MASKED}"),
    (re.compile(rf"(?i)(\"[\w./-]*(?:{_WORDS})s?\"\s*:\s*\")(?:[^\"\\]|\\.)*"), rf"\1{MASKED}"),
    (re.compile(rf"(?i)((?<![\w.?&%-])[\w./-]*(?:{_WORDS})s?[=:])(?![=:\s\"]|{MASKED})\S+"), rf"\1{MASKED}"),
    (re.compile(rf"(?i)((?<!\S)--[\w-]*(?:{_WORDS})s?\s+)(?!-)\S+"), rf"\1{MASKED}"),
)


def mask_text(text: str) -> str:
    """Return a text without the credentials that can be told by a name before them or by their shape."""
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    return text


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line without the values of `--token`, `--password` and their like."""
    found: list[str] = []
    is_secret = False
    for argument in arguments:
        flag, equals, _ = argument.partition("=")
        is_flag = argument.startswith("-")
        if is_secret and not is_flag:
            found.append(MASKED)
        elif is_flag and equals and _SECRET_NAME.search(flag):
            found.append(f"{flag}={MASKED}")
        else:
            found.append(mask_text(argument))
        is_secret = is_flag and not equals and bool(_SECRET_NAME.search(flag))
    return found


def mask_known(text: str, arguments: Sequence[str]) -> str:
    """Return a text without the credentials that a command line names, wherever somebody repeats them."""
    for argument, masked in zip(arguments, mask_arguments(arguments), strict=True):
        if masked == MASKED or masked.endswith(f"={MASKED}"):
            secret = argument.removeprefix(masked.removesuffix(MASKED))
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, MASKED)
    return text


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers without credentials; of `Authorization` its scheme is left."""
    return {name: _header(name, value) for name, value in headers.items()}


def mask_body(body: bytes | Mapping[str, Any], *, about: str) -> str:
    """Return a body as text, without credentials.

    Args:
        body: of a request or an answer; bytes are JSON, or what some proxy wrote.
        about: the request's URL; the body of a Secret need not say that it is one.
    """
    text = body.decode(errors="replace") if isinstance(body, bytes) else ""
    try:
        value = json.loads(text) if isinstance(body, bytes) else body
        return json.dumps(_masked(value, is_secret=bool(_SECRETS_PATH.search(about))), default=str)
    except (ValueError, TypeError, RecursionError):
        return mask_text(text)


def _header(name: str, value: str) -> str:
    if not _SECRET_NAME.search(name):
        return mask_text(value)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASKED}" if space and name.lower().endswith("authorization") else MASKED


def _masked(value: Any, *, is_secret: bool) -> Any:
    match value:
        case Mapping():
            return _masked_object(value, is_secret=is_secret)
        case str():
            return _masked_string(value)
        case Sequence() if not isinstance(value, bytes):
            return [_masked(item, is_secret=is_secret) for item in value]
        case _:
            return value


def _masked_object(value: Mapping[str, Any], *, is_secret: bool) -> dict[str, Any]:
    is_secret = is_secret or value.get("kind") in {"Secret", "SecretList"}
    # A container's variables: `{"name": "PASSWORD", "value": "x"}`.
    is_named_secret = isinstance(value.get("name"), str) and bool(_SECRET_NAME.search(value["name"]))
    found = {}
    for name, item in value.items():
        is_content = is_secret and name in {"data", "stringData"}
        if is_content or _SECRET_NAME.search(name) or (is_named_secret and name == "value"):
            found[name] = _hidden(item, is_secret=is_secret, is_all=is_content)
        else:
            found[name] = _masked(item, is_secret=is_secret)
    return found


def _hidden(item: Any, *, is_secret: bool, is_all: bool) -> Any:
    """Return what a secret's name holds: text and numbers go; an object under such a name mostly refers to a secret."""
    match item:
        case None | bool():
            return item
        case Mapping() if is_all:
            return dict.fromkeys(item, MASKED)
        case Mapping():
            return _masked(item, is_secret=is_secret)
        case list():
            return [_hidden(inner, is_secret=is_secret, is_all=is_all) for inner in item]
        case _:
            return MASKED


def _masked_string(text: str) -> str:
    # An annotation may hold a whole object, as `last-applied-configuration` does.
    if text[:1] in {"{", "["}:
        try:
            return json.dumps(_masked(json.loads(text), is_secret=False))
        except (ValueError, RecursionError):
            pass
    return mask_text(text)
