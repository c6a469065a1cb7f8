"""Label selectors as Services, controllers and disruption budgets use them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Labels = Mapping[str, str]


class Operator(Enum):
    """The operators of a selector's `matchExpressions`, and the two that only command lines have."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    MORE_THAN = "Gt"
    LESS_THAN = "Lt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One entry of `matchExpressions`."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Tell whether the labels meet it, as the API server has it.

        An absent key meets `NotIn`; what is no whole number is neither more nor less than one.
        """
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels
            case Operator.MORE_THAN | Operator.LESS_THAN:
                return self._compares(labels.get(self.key, ""))

    def _compares(self, value: str) -> bool:
        if not re.fullmatch(r"-?[0-9]+", value):
            return False
        number, limit = int(value), int(next(iter(self.values)))
        return number > limit if self.operator is Operator.MORE_THAN else number < limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """A `metav1.LabelSelector`: all of it must hold; an empty one selects everything."""

    match_labels: Labels
    match_expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Tell whether it selects an object with these labels."""
        return has_all(labels, self.match_labels) and all(r.matches(labels) for r in self.match_expressions)

    @property
    def keys(self) -> frozenset[str]:
        """The label keys it looks at."""
        return frozenset(self.match_labels) | {r.key for r in self.match_expressions}

    def about(self, key: str) -> "LabelSelector":
        """Return what it asks of one label."""
        return LabelSelector(
            match_labels={k: v for k, v in self.match_labels.items() if k == key},
            match_expressions=tuple(r for r in self.match_expressions if r.key == key),
        )


def has_all(labels: Labels, wanted: Labels) -> bool:
    """Tell whether the labels contain every wanted pair."""
    return wanted.items() <= labels.items()
