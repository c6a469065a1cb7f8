"""What may stand in a place of a command line: functions that are, or make, click's `shell_complete` of a parameter.

What takes time is imported, and asked for, only where such a place is completed.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[str]]"]


def choices(*values: str) -> Completer:
    """Complete one of some values."""
    return one_of(lambda: dict.fromkeys(values, ""))


def one_of(values: Callable[[], Mapping[str, str]]) -> Completer:
    """Complete one of some values, of which is said what they mean."""
    return lambda _, __, incomplete: _items(values(), incomplete)


def some_of(values: Callable[[], Mapping[str, str]]) -> Completer:
    """Complete the last of some values that are joined by commas; those before it are not offered again."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
        before, comma, last = incomplete.rpartition(",")
        named = before.split(",")
        offered = {f"{before}{comma}{name}": words for name, words in values().items() if name not in named}
        return _items(offered, f"{before}{comma}{last}")

    return complete


def files(_: click.Context, __: click.Parameter, ___: str) -> "list[CompletionItem[str]]":
    """Leave it to the shell, which knows files best."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="file")]


def contexts(ctx: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a kubeconfig's context."""
    return _items(_entries(ctx, "contexts"), incomplete)


def clusters(ctx: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a kubeconfig's cluster."""
    return _items(_entries(ctx, "clusters"), incomplete)


def users(ctx: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a kubeconfig's user."""
    return _items(_entries(ctx, "users"), incomplete)


def namespaces(ctx: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a namespace."""
    return _items(_names(ctx, "Namespace"), incomplete)


def nodes(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a node that is not named yet."""
    return _items(_names(ctx, "Node"), incomplete, but=_given(ctx, param))


def resources(kinds: Mapping[str, Collection[str]], *, takes_type_alone: bool) -> Completer:
    """Complete `TYPE/NAME...`, of resources that are not named yet.

    Args:
        kinds: what kubectl calls each kind.
        takes_type_alone: whether a command takes `TYPE NAME...`, too.
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
        given = _given(ctx, param)
        text, slash, _ = incomplete.partition("/")
        if slash:
            kind = _kind(kinds, text)
            return _items([f"{text}/{name}" for name in _names(ctx, kind)], incomplete, but=given) if kind else []
        if not takes_type_alone or any("/" in word for word in given):
            return _items([f"{kind.lower()}/" for kind in kinds], incomplete)
        if not given:
            return _items([kind.lower() for kind in kinds], incomplete)
        kind = _kind(kinds, given[0])
        return _items(_names(ctx, kind), incomplete, but=given[1:]) if kind else []

    return complete


def _items(
    found: Mapping[str, str] | Collection[str], incomplete: str, *, but: Collection[str] = ()
) -> "list[CompletionItem[str]]":
    from click.shell_completion import CompletionItem

    described = found if isinstance(found, Mapping) else dict.fromkeys(found, "")
    return [
        CompletionItem(name, help=words)
        for name, words in described.items()
        if name.startswith(incomplete) and name not in but
    ]


def _given(ctx: click.Context, param: click.Parameter) -> tuple[str, ...]:
    return tuple(ctx.params.get(param.name or "") or ())


def _kind(kinds: Mapping[str, Collection[str]], text: str) -> str:
    return next((kind for kind, names in kinds.items() if text.lower() in names), "")


def _typed(ctx: click.Context) -> dict[str, Any]:
    """Return the values of the flags that were typed so far."""
    # `rbac` asks no cluster, and of its flags one is called as the one that names a kubeconfig's.
    return {name: value for name, value in ctx.params.items() if name != "cluster" or "server" in ctx.params}


def _names(ctx: click.Context, kind: str) -> list[str]:
    from kubectl_safe.run.lookup import lookup

    return lookup(lambda: _ask(_typed(ctx), kind))


def _ask(typed: dict[str, Any], kind: str) -> list[str]:
    from kubectl_safe.kube.client import connect
    from kubectl_safe.kube.names import names
    from kubectl_safe.model.connection import connection_of
    from kubectl_safe.run.clock import now

    client = connect(connection_of(typed), now=now)
    # Whoever waits for candidates is better served by none than by another try.
    client.read_tries = 1
    return names(client, kind, typed.get("namespace") or client.namespace)


def _entries(ctx: click.Context, field: Literal["contexts", "clusters", "users"]) -> list[str]:
    from kubectl_safe.kube.config import entries
    from kubectl_safe.run.lookup import lookup

    return lookup(lambda: list(getattr(entries(_typed(ctx).get("kubeconfig")), field)))
