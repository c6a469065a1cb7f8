"""Kubeconfig files: read, and merged as kubectl merges them. It must not decide which entries are used.

Of entries of one name, and of current contexts, those of the first file count; paths start at the file that they are in
(k8s.io/client-go, tools/clientcmd/loader.go).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kubectl_safe.kube.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mapping in a kubeconfig."""

    where: str
    """The place, for errors."""
    folder: Path = field(default_factory=Path)
    """Where relative paths in it start."""
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields)

    def text(self, name: str) -> str:
        """Return a field's text; empty where there is none.

        Raises:
            ConfigError: it is something else.
        """
        return str(self._of(name, str, "text") or "")

    def path(self, name: str) -> str:
        """Return the path in a field; empty where there is none.

        Raises:
            ConfigError: it is something else.
        """
        text = self.text(name)
        return str(self.folder / text) if text else ""

    def is_on(self, name: str) -> bool:
        """Tell whether a field is true.

        Raises:
            ConfigError: it is something else than true or false.
        """
        return bool(self._of(name, bool, "true or false"))

    def texts(self, name: str) -> list[str]:
        """Return a field's list of texts.

        Raises:
            ConfigError: it is something else.
        """
        found = self._of(name, list, "a list") or []
        if wrong := [item for item in found if not isinstance(item, str)]:
            raise ConfigError(f"{self.where}: {name} has a {_kind(wrong[0])} where text is expected")
        return list(found)

    def entry(self, name: str) -> Self:
        """Return the mapping in a field; an empty one where there is none.

        Raises:
            ConfigError: it is something else.
        """
        found = self._of(name, dict, "a mapping") or {}
        return type(self)(where=f"{self.where}, {name}", folder=self.folder, fields=found)

    def entries(self, name: str) -> Iterator[Self]:
        """Yield the mappings in a field's list.

        Raises:
            ConfigError: it is something else.
        """
        for index, item in enumerate(self._of(name, list, "a list") or []):
            if not isinstance(item, dict):
                raise ConfigError(f"{self.where}: {name} has a {_kind(item)} where a mapping is expected")
            yield type(self)(where=f"{self.where}, {name}[{index}]", folder=self.folder, fields=item)

    def _of(self, name: str, kind: type, wanted: str) -> Any:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, kind):
            raise ConfigError(f"{self.where}: {name} is a {_kind(value)} where {wanted} is expected")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """What several files come to."""

    current_context: str = ""
    contexts: Mapping[str, Entry] = field(default_factory=dict)
    clusters: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, Entry] = field(default_factory=dict)


def files_in(paths: str) -> list[str]:
    """Return the files of a list as in `KUBECONFIG` that there are, each once."""
    found = [path for path in paths.split(os.pathsep) if path and _is_there(path)]
    return list(dict.fromkeys(found))


def read(files: Sequence[str]) -> Kubeconfig:
    """Return what files come to.

    Raises:
        ConfigError: one of them can't be read, or all of them are empty.
    """
    read_files = [(path, _content(path)) for path in files]
    if not any(content is not None for _, content in read_files):
        raise ConfigError(f'error loading config file "{os.pathsep.join(files)}": the file is empty')
    tops = [
        Entry(
            where=f'error loading config file "{path}"',
            folder=Path(os.path.abspath(Path(path).expanduser())).parent,  # noqa: PTH100 - links stay, as with kubectl
            fields=content,
        )
        for path, content in read_files
        if content
    ]
    named = [top.text("current-context") for top in tops]
    return Kubeconfig(
        current_context=next((name for name in named if name), ""),
        contexts=_merged(tops, "contexts", "context"),
        clusters=_merged(tops, "clusters", "cluster"),
        users=_merged(tops, "users", "user"),
    )


def _merged(tops: Sequence[Entry], plural: str, singular: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for top in tops:
        own: dict[str, Entry] = {}
        for item in top.entries(plural):
            name = item.text("name")
            if name in own:
                raise ConfigError(f'{top.where}: duplicate name "{name}" in {plural}')
            inner = item.entry(singular)
            own[name] = Entry(where=f"{top.where}: {singular} {name!r}", folder=top.folder, fields=inner.fields)
        found = own | found
    return found


def _is_there(path: str) -> bool:
    try:
        Path(path).expanduser().stat()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _content(path: str) -> Mapping[str, Any] | None:
    """Return what a file has; None where it is empty."""
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        verb = "read" if isinstance(error, IsADirectoryError) else "open"
        why = f"{verb} {path}: {words_of(error)}"
    except UnicodeError:
        why = "yaml: invalid UTF-8"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        why = f"yaml: line {line}: {error.problem}"
    except yaml.YAMLError as error:
        why = f"yaml: {getattr(error, 'reason', error)}"
    except (ValueError, RecursionError) as error:
        # A date that there is not, or what is nested without end.
        why = f"yaml: {error}"
    else:
        if content is None or isinstance(content, dict):
            return content
        why = f"it is a {_kind(content)} where a Config is expected"
    raise ConfigError(f'error loading config file "{path}": {why}')


def words_of(error: OSError) -> str:
    """Return what the system says, as kubectl writes it."""
    return (error.strerror or str(error)).lower()


def _kind(value: object) -> str:
    return type(value).__name__
