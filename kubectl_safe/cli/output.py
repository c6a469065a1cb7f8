"""Who a command's result is told to: people, or with `-o` a program. What that needs is imported when it is needed."""

import os
import shlex
import sys
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_safe.render.recorder import Recorder
    from kubectl_safe.run.audience import Audience

FORMATS = ("json", "jsonl")


@dataclass(kw_only=True)
class Output:
    """The result of one command line; its flags say more about it while they are read."""

    command: tuple[str, ...] = ()
    """The arguments, as they were given."""
    format: str = ""
    """One of `FORMATS`; empty for people."""
    dry_run: str | None = None
    """The value of that flag; None until it is read."""
    report: "Path | None" = None
    """Where to write a report at the end; None where none is wished for."""
    recorder: "Recorder | None" = None
    """What follows the run for a report."""
    _audience: "Audience | None" = None

    @property
    def audience(self) -> "Audience":
        """Who is told what happens."""
        if self._audience is None:
            told = self._for_programs() if self.format else self._for_people()
            self._audience = self._recorded(told, self.report) if self.report else told
        return self._audience

    def finished(self, code: int, error: str) -> None:
        """Tell that the command is over, also one that came to nothing before anyone was told anything."""
        if self.format or self._audience:
            self.audience.finished(code, error)

    def _recorded(self, audience: "Audience", path: "Path") -> "Audience":
        from kubectl_safe.model.masking import mask_arguments
        from kubectl_safe.render.recorder import Recorder
        from kubectl_safe.run.clock import now
        from kubectl_safe.run.recording import Recorded

        words = ["kubectl", "safe", *mask_arguments(self.command)]
        title = " ".join(takewhile(lambda word: not word.startswith("-"), words))
        self.recorder = Recorder(title=title, command=shlex.join(words))
        return Recorded(audience, self.recorder, path=path, now=now)

    def _for_people(self) -> "Audience":
        from kubectl_safe.render.lines import Lines
        from kubectl_safe.render.live import Live

        shows_plan = self.dry_run not in {None, "none"}
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            return Live(shows_plan=shows_plan)
        return Lines(shows_plan=shows_plan)

    def _for_programs(self) -> "Audience":
        from kubectl_safe.model.masking import mask_arguments
        from kubectl_safe.render.events import Events
        from kubectl_safe.render.jsonl import write_document, write_line, write_warning
        from kubectl_safe.run.clock import now

        write = write_document if self.format == "json" else write_line
        command = tuple(mask_arguments(self.command))
        return Events(write=write, warn=write_warning, now=now, command=command, dry_run=self.dry_run)


def chosen(ctx: click.Context, _: click.Parameter, value: str | None) -> Output:
    """Take up the value of `-o`.

    Raises:
        UsageError: there is no such format.
    """
    from kubectl_safe.cli.types import known_format

    output = ctx.ensure_object(Output)
    output.format = known_format(value, FORMATS) if value else ""
    return output
