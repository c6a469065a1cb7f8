"""Events as lines of JSON, and their last one as a document: what `-o jsonl` and `-o json` write.

Everything else than ASCII is escaped: a terminal obeys nothing of it, and no encoding lacks a letter of it.
"""

import json

from kubectl_safe.render.document import Json
from kubectl_safe.render.output import echo
from kubectl_safe.render.text import plain


def write_line(event: Json) -> None:
    """Write an event to stdout as a line."""
    echo(json.dumps(event, separators=(",", ":")), is_document=True)


def write_document(event: Json) -> None:
    """Write the account of the whole run to stdout once it is over, as kubectl writes objects."""
    if event["type"] == "ended":
        echo(json.dumps(event["report"], indent=4), is_document=True)


def write_warning(message: str) -> None:
    """Write a warning to stderr, for people."""
    echo(plain(message), err=True)
