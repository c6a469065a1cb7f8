"""How findings count things and name several."""

from collections.abc import Iterable

from kubectl_safe.model.pod import Pod

_SHOWN = 3


def named(pods: Iterable[Pod]) -> str:
    """Return the names of pods, of many only the first: `web-1, web-2, web-3 and 4 more`."""
    names = [pod.name for pod in pods]
    rest = len(names) - _SHOWN
    return f"{', '.join(names[:_SHOWN])} and {rest} more" if rest > 0 else ", ".join(names)


def counted(number: int, word: str) -> str:
    """Return a number of things: `1 pod`, `3 pods`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
