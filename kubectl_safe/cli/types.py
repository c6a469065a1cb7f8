"""Values of flags, in kubectl's notation."""

import re
from datetime import timedelta

import click

from kubectl_safe.model.errors import UsageError
from kubectl_safe.model.selector import LabelSelector, Operator, Requirement

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
SET_BASED = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^()]*)\)$")
EQUALITY = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<operator>==|!=|=)\s*(?P<value>[^\s!=,()]*)$")
EXISTENCE = re.compile(r"^(?P<no>!?)\s*(?P<key>[^\s!=,()]+)$")


class Duration(click.ParamType[timedelta]):
    """A Go duration: `90s`, `1m30s`, `0`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration.

        Raises:
            click.BadParameter: it is none.
        """
        if isinstance(value, timedelta):
            return value
        text = str(value)
        parts = PART.findall(text)
        if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
            self.fail(f"{text!r} is not a duration: give a number with a unit, such as 90s or 1m30s", param, ctx)
        return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))


class CountOrPercent(click.ParamType[int | str]):
    """A number of pods, or a percentage: `2`, `25%`."""

    name = "int|percent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Return an int, or a str that ends in `%`.

        Raises:
            click.BadParameter: it is neither.
        """
        text = str(value)
        if re.fullmatch(r"\d+%", text):
            return text
        if not re.fullmatch(r"\d+", text):
            self.fail(f"{text!r} is neither a number of pods nor a percentage, such as 2 or 25%", param, ctx)
        return int(text)


def parse_selector(text: str) -> LabelSelector:
    """Read a label selector as `-l` takes it.

    Raises:
        UsageError: it is none.
    """
    requirements = []
    for term in re.split(r",(?![^(]*\))", text):
        requirement = _requirement(term.strip())
        if requirement is None:
            raise UsageError(f"unable to parse requirement {term.strip()!r}: write app=web, app!=web or 'app in (a,b)'")
        requirements.append(requirement)
    return LabelSelector(match_labels={}, match_expressions=tuple(requirements))


def _requirement(term: str) -> Requirement | None:
    if found := SET_BASED.match(term):
        values = frozenset(value.strip() for value in found["values"].split(","))
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        return Requirement(key=found["key"], operator=operator, values=values)
    if found := EQUALITY.match(term):
        operator = Operator.NOT_IN if found["operator"] == "!=" else Operator.IN
        return Requirement(key=found["key"], operator=operator, values=frozenset({found["value"]}))
    if found := EXISTENCE.match(term):
        operator = Operator.DOES_NOT_EXIST if found["no"] else Operator.EXISTS
        return Requirement(key=found["key"], operator=operator)
    return None
