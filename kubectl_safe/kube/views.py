"""What is made of the objects of watches: the very same until one of them changes."""

from collections.abc import Callable, Mapping
from typing import Any

from kubectl_safe.kube.watch import Watcher


class Views:
    """What was made last of the objects of each kind, and of several kinds together.

    Args:
        watchers: by kind; one without a watcher has no objects.
    """

    def __init__(self, watchers: Mapping[str, Watcher[Any]]) -> None:
        self._watchers = watchers
        self._views: dict[str, tuple[int, Any]] = {}
        self._made: dict[tuple[str, ...], tuple[list[Mapping[str, Any]], Any]] = {}

    def merged(self, kinds: tuple[str, ...], make: Callable[[Mapping[str, Any]], Any]) -> Any:
        """Return what `make` makes of the objects of several kinds by UID, made anew only when one of them changed."""
        views = [self.of(kind, dict) for kind in kinds]
        known, made = self._made.get(kinds, ([], {}))
        if len(known) != len(views) or any(one is not other for one, other in zip(known, views, strict=True)):
            made = make({uid: its for view in views for uid, its in view.items()})
            self._made[kinds] = views, made
        return made

    def of(self, kind: str, make: Any) -> Any:
        """Return what `make` makes of a kind's objects, made anew only when one of them changed."""
        watcher = self._watchers.get(kind)
        version, made = self._views.get(kind, (-1, None))
        if watcher is None:
            if made is None:
                made = make({})
                self._views[kind] = (0, made)
        elif watcher.cache.version != version:
            version, objects = watcher.cache.read()
            made = make(objects)
            self._views[kind] = (version, made)
        return made
