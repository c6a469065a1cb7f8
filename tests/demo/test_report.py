"""What goes wrong with the demo's report never ends the demo."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from kubectl_safe.cli.demo_report import DemoReport
from kubectl_safe.model.errors import KubectlSafeError

if TYPE_CHECKING:
    from kubectl_safe.sandbox.demo.trial import Trial


async def _objects() -> None:
    raise RuntimeError("no such thing")


def test_a_look_that_fails_is_told_at_the_end(tmp_path: Path) -> None:
    report, path = DemoReport(), tmp_path / "demo.html"
    requests = SimpleNamespace(total=9, lost_by_reason={})
    stage = SimpleNamespace(objects=_objects)
    trial = cast("Trial", SimpleNamespace(title="kubectl drain", stage=stage, report=requests, ended=None))
    asyncio.run(report.look(trial))
    report.over(trial)
    with pytest.raises(KubectlSafeError, match="is not whole: RuntimeError: no such thing"):
        report.write(path)
    assert path.exists()
