"""Interactive shells on terminals of their own, whose TAB is pressed."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect

TAB, SHOW = "\t", "\x0f"
_PROMPT = "ready> "
_ESCAPES = re.compile(r"\x1b(\[[0-9;?>=]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")
_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A shell: how it is started, and made to show its line, and to empty it, at Ctrl-O."""

    command: Sequence[str]
    setup: Sequence[str]
    tabs_to_list: int


BASH = Kind(
    command=("bash", "--norc", "--noprofile", "-i"),
    setup=(
        "bind 'set enable-bracketed-paste off'",
        "bind 'set completion-query-items 0'",
        "bind 'set page-completions off'",
        """bind -x '"\\C-o": printf "<<%s>>\\n" "$READLINE_LINE"; READLINE_LINE=; READLINE_POINT=0'""",
        "source /usr/share/bash-completion/bash_completion",
    ),
    tabs_to_list=2,
)
ZSH = Kind(
    command=("zsh", "-f", "-i"),
    setup=(
        "unsetopt prompt_cr prompt_sp beep",
        "LISTMAX=10000",
        'show() { print -r -- "<<$BUFFER>>"; BUFFER= }',
        "zle -N show",
        "bindkey '^O' show",
        "fpath=($COMPLETIONS $fpath)",
        "autoload -Uz compinit",
        "compinit -u -D",
    ),
    tabs_to_list=1,
)
FISH = Kind(
    command=("fish", "--no-config", "-i"),
    setup=(
        "function fish_greeting; end",
        "function fish_title; end",
        "set -g fish_autosuggestion_enabled 0",
        'bind \\co \'printf "<<%s>>\\n" (commandline); commandline ""\'',
    ),
    tabs_to_list=1,
)
PROMPTS = {
    "bash": f"PS1='{_PROMPT[:3]}''{_PROMPT[3:]}'",
    "zsh": f"PS1='{_PROMPT[:3]}''{_PROMPT[3:]}'",
    "fish": f"function fish_prompt; echo -n '{_PROMPT[:3]}''{_PROMPT[3:]}'; end",
}
"""How each gets the prompt; what is echoed of that must not look like one."""

KINDS: Mapping[str, Kind] = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What came of a TAB."""

    line: str
    """What stands on the command line now."""
    shown: str
    """What else was to be read meanwhile, without colours and cursor movements."""
    seconds: float


class Shell:
    """A shell, as a context manager.

    Args:
        name: one of `KINDS`.
        environment: all that it has of one.
        directory: where it starts.
        setup: lines that it runs first, after its own.
    """

    def __init__(self, name: str, *, environment: Mapping[str, str], directory: Path, setup: Sequence[str]) -> None:
        self.name = name
        self.kind = KINDS[name]
        self._setup = [*self.kind.setup, *setup]
        self._environment = dict(environment)
        self._directory = directory

    def __enter__(self) -> Self:
        program, *arguments = self.kind.command
        self._terminal = pexpect.spawn(
            program,
            arguments,
            env=self._environment,
            cwd=str(self._directory),
            dimensions=(100, 400),
            encoding="utf-8",
            timeout=_SECONDS,
        )
        # The line discipline must not act on Ctrl-O, nor hold keys back: what we send is for the shell to read.
        self._terminal.delaybeforesend = None
        self._terminal.sendline(PROMPTS[self.name])
        self._terminal.expect_exact(_PROMPT)
        for line in self._setup:
            self._run(line)
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._terminal.close(force=True)

    def _run(self, line: str) -> None:
        self._terminal.sendline(line)
        self._terminal.expect_exact(_PROMPT)

    def complete(self, line: str, *, tabs: int = 1) -> Completed:
        """Type a line, press TAB, and return what the line is then; it is empty afterwards."""
        began = time.monotonic()
        self._terminal.send(line + TAB * tabs + SHOW)
        self._terminal.expect(r"<<(.*?)>>\r?\n")
        seconds = time.monotonic() - began
        match = self._terminal.match
        assert isinstance(match, re.Match)
        shown = _ESCAPES.sub("", str(self._terminal.before))
        return Completed(line=match[1], shown=shown, seconds=seconds)

    def listed(self, line: str) -> str:
        """Type a line, press TAB until candidates are listed, and return what is to be read then."""
        return self.complete(line, tabs=self.kind.tabs_to_list).shown
