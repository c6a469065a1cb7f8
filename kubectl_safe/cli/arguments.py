"""Command lines as kubectl takes them, in the words in which click reads them."""

from collections.abc import Sequence

TOGGLES = frozenset(
    {
        "--all-namespaces",
        "-A",
        "--insecure-skip-tls-verify",
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--force",
        "--disable-eviction",
        "--fail-fast",
        "--uncordon-on-failure",
        "--required-only",
    }
)
"""Flags that scripts also write as `--flag=true`, which kubectl takes and click doesn't."""

OF_ALL = ("rbac", "--cluster")
"""A command, and its flag that is on or off: to all others it is the name of a cluster."""

SHORT = frozenset({"-l", "-n", "-o", "-s", "-v"})
"""Flags of one letter: kubectl takes `-v=6` as it takes `-v6` and `-v 6`; to click the `=` is part of the value."""

BEFORE = frozenset(
    {
        *("--kubeconfig", "--context", "--namespace", "-n", "--cluster", "--user", "--server", "-s", "--token", "--as"),
        *("--as-group", "--as-uid", "--certificate-authority", "--client-certificate", "--client-key"),
        *("--tls-server-name", "--request-timeout", "--v", "-v"),
    }
)
"""Flags with a value that may stand before the command, as with kubectl."""

GROUP = ["rollout"]
"""What is no command alone."""


def as_click_reads_them(arguments: Sequence[str]) -> list[str]:
    """Return arguments with four of kubectl's ways put in click's.

    - What leads to a cluster may stand before the command.
    - `--dry-run` stands alone: a value has to be joined to it with `=`.
    - A flag that is on or off may have a value joined to it; of `--watch` that is the way to turn it off.
    - A value is joined to a flag of one letter with `=`.
    """
    arguments = _command_first(list(arguments))
    end = arguments.index("--") if "--" in arguments else len(arguments)
    toggles = TOGGLES | {OF_ALL[1]} if OF_ALL[0] in arguments[:1] else TOGGLES
    read = [part for argument in arguments[:end] for part in _as_click_reads(argument, toggles)]
    return read + list(arguments[end:])


def _command_first(arguments: list[str]) -> list[str]:
    """Return arguments with the flags that stand before the command behind it."""
    taken = 0
    while taken < len(arguments):
        flag, equals, _ = arguments[taken].partition("=")
        if flag in BEFORE:
            taken += 1 if equals else 2
        elif flag == "--insecure-skip-tls-verify":
            taken += 1
        else:
            break
    flags, rest = arguments[:taken], arguments[taken:]
    if rest[:1] == GROUP:
        rest = [*GROUP, *_command_first(rest[1:])]
    end = rest.index("--") if "--" in rest else len(rest)
    # Without a command there is nothing to put them behind.
    return [*rest[:end], *flags, *rest[end:]] if rest and not rest[0].startswith("-") else arguments


def _as_click_reads(argument: str, toggles: frozenset[str]) -> list[str]:
    if argument == "--dry-run":
        return ["--dry-run=client"]
    flag, _, value = argument.partition("=")
    if flag in {"-w", "--watch"} and value in {"true", "false"}:
        return ["--watch" if value == "true" else "--no-watch"]
    if flag in toggles and value in {"true", "false"}:
        return [flag] if value == "true" else []
    if argument[:2] in SHORT and argument[2:3] == "=":
        return [argument[:2], argument[3:]]
    return [argument]
