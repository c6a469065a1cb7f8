"""Values of flags, in kubectl's notation."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from kubectl_safe.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_safe.model.selector import LabelSelector, Requirement

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DRY_RUNS = ("none", "client", "server")
LEVELS = {"6": "requests", "7": "requests with their headers", "8": "requests with their headers and bodies"}
"""Those of `-v` from which on more is shown."""
LONGEST_HOURS = 2562047
"""As long as a Go duration can be."""
LARGEST = 2**31 - 1
ALL_PERCENT = 100
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
KEY = r"(?P<key>[A-Za-z0-9][A-Za-z0-9._/-]*)"
SET_BASED = re.compile(rf"^{KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
EQUALITY = re.compile(rf"^{KEY}\s*(?P<operator>==|!=|=)\s*(?P<value>[A-Za-z0-9._-]*)$")
COMPARISON = re.compile(rf"^{KEY}\s*(?P<operator>[<>])\s*(?P<value>[0-9]{{1,18}})$")
EXISTENCE = re.compile(rf"^(?P<no>!?)\s*{KEY}$")


def known_format(wanted: str, formats: Sequence[str]) -> str:
    """Read the value of `-o`.

    Raises:
        UsageError: there is no such format, in kubectl's words.
    """
    if wanted not in formats:
        allowed = ",".join(formats)
        raise UsageError(
            f'unable to match a printer suitable for the output format "{wanted}", allowed formats are: {allowed}'
        )
    return wanted


def duration(text: str) -> timedelta:
    """Read a Go duration: `90s`, `1m30s`, `0`.

    Raises:
        click.BadParameter: it is none.
    """
    parts = PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        raise click.BadParameter(f"{text!r} is not a duration: give a number with a unit, such as 90s or 1m30s")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if seconds > LONGEST_HOURS * UNITS["h"]:
        raise click.BadParameter(f"{text!r} is longer than any run")
    return timedelta(seconds=seconds)


def count_or_percent(text: str) -> int | str:
    """Read a number of pods, or a percentage, which stays a str that ends in `%`: `2`, `25%`.

    Raises:
        click.BadParameter: it is neither.
    """
    if re.fullmatch(r"[0-9]{1,9}%", text):
        return text
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise click.BadParameter(f"{text!r} is neither a number of pods nor a percentage, such as 2 or 25%")
    return int(text)


def at_most_all(text: str) -> int | str:
    """Read a number of pods, or a percentage, of those that there are.

    Raises:
        click.BadParameter: it is neither, or more than all.
    """
    value = count_or_percent(text)
    if isinstance(value, str) and int(value.removesuffix("%")) > ALL_PERCENT:
        raise click.BadParameter(f"{text!r} must not be greater than 100%")
    return value


def whole_number(text: str) -> int:
    """Read a number of seconds, perhaps a negative one.

    Raises:
        click.BadParameter: it is none, or too large for the API server.
    """
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > LARGEST:
        raise click.BadParameter(f"{text!r} is not a whole number of up to {LARGEST}")
    return int(text)


def number_of_pods(text: str) -> int:
    """Read a number of pods from one on.

    Raises:
        click.BadParameter: it is none.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise click.BadParameter(f"{text!r} is not a number of pods: give one from 1 on")
    return int(text)


def revision_number(text: str) -> int:
    """Read a revision of a Deployment; 0 is the last one.

    Raises:
        UsageError: it is none, in kubectl's words.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise UsageError(f"revision must be a positive integer: {text}")
    return int(text)


def dry_run(text: str) -> str:
    """Read the value of `--dry-run`.

    Raises:
        UsageError: in kubectl's words.
    """
    if text not in DRY_RUNS:
        raise UsageError(f'Invalid dry-run value ({text}). Must be "none", "server", or "client".')
    return text


def probe_url(text: str) -> str:
    """Read a URL to probe.

    Raises:
        click.BadParameter: it is none, or of another scheme than http and https.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or not text.isprintable() or " " in text:
        from kubectl_safe.model.masking import mask_text

        raise click.BadParameter(f"{mask_text(text)!r} can't be probed: give a URL such as https://shop.example.com/")
    return text


def report_path(text: str) -> "Path":
    """Read where a report is to be written.

    Raises:
        click.BadParameter: it can't be.
    """
    from pathlib import Path

    from kubectl_safe.render.whole import check_writable

    path = Path(text)
    if click.get_current_context().resilient_parsing:
        # Nothing is to be run, and nothing touched.
        return path
    try:
        check_writable(path)
    except (OSError, ValueError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else ""
        raise click.BadParameter(f"{text!r} can't be written: {why or error}") from error
    return path


def verbosity(text: str) -> int:
    """Read the level of `-v`.

    Raises:
        click.BadParameter: it is none.
    """
    if not re.fullmatch(r"[0-9]|10", text):
        raise click.BadParameter(f"{text!r} is not a level: give a number from 0 to 10, such as 6")
    return int(text)


def parse_selector(text: str) -> "LabelSelector":
    """Read a label selector as `-l` takes it.

    Raises:
        UsageError: it is none.
    """
    from kubectl_safe.model.selector import LabelSelector

    requirements = []
    for term in re.split(r",(?![^(]*\))", text):
        requirement = _requirement(term.strip())
        if requirement is None:
            raise UsageError(f"unable to parse requirement {term.strip()!r}: write app=web, app!=web or 'app in (a,b)'")
        requirements.append(requirement)
    return LabelSelector(match_labels={}, match_expressions=tuple(requirements))


def _requirement(term: str) -> "Requirement | None":
    from kubectl_safe.model.selector import Operator, Requirement

    if found := SET_BASED.match(term):
        values = frozenset(value.strip() for value in found["values"].split(","))
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        return Requirement(key=found["key"], operator=operator, values=values)
    if found := EQUALITY.match(term):
        operator = Operator.NOT_IN if found["operator"] == "!=" else Operator.IN
        return Requirement(key=found["key"], operator=operator, values=frozenset({found["value"]}))
    if found := COMPARISON.match(term):
        operator = Operator.MORE_THAN if found["operator"] == ">" else Operator.LESS_THAN
        return Requirement(key=found["key"], operator=operator, values=frozenset({found["value"]}))
    if found := EXISTENCE.match(term):
        operator = Operator.DOES_NOT_EXIST if found["no"] else Operator.EXISTS
        return Requirement(key=found["key"], operator=operator)
    return None
